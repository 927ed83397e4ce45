"""What is said of the service, against the code."""

import re
import subprocess
import sys
from pathlib import Path

from services.forecast_api.operations import SERVED

PAGE = (Path(__file__).parents[4] / "docs" / "forecast-api.md").read_text(encoding="utf-8")


def test_the_page_lists_the_operations_that_are_served() -> None:
    table = PAGE.partition("## Operations")[2].partition("Every other operation")[0]
    assert sorted(re.findall(r"\b(?:Create|Describe|List|Delete|Update|Get|Query)\w+", table)) == sorted(SERVED)


def test_the_quick_start_is_python_that_compiles() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code.strip().splitlines()) <= 12
    compile(code, "docs/forecast-api.md", "exec")


def test_the_service_starts_without_the_models() -> None:
    """Their library takes seconds on a busy machine: only the processes that train and forecast import it."""
    code = "import services.forecast_api.__main__, sys; print('statsforecast' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
