from hypothesis import given
from hypothesis import strategies as st

from services.publisher.page.markup import Markup, el, join
from tests.support.html import Page


def test_texts_are_escaped_and_markup_is_not() -> None:
    assert el("p", "a < b & c", Markup("<br>")) == "<p>a &lt; b &amp; c<br></p>"
    assert join("<", None, el("b", "x")) == "&lt;<b>x</b>"


def test_attributes_are_named_as_html_names_them() -> None:
    made = el("input", class_="a b", aria_label='say "hi"', hidden=True, open=False, value=None, x=1.25, y=3.0, r=3)
    assert made == '<input class="a b" aria-label="say &quot;hi&quot;" hidden x="1.2" y="3" r="3">'


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")))
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    page = Page(el("p", text, title=text))
    assert "".join(page.words) == text
    assert page.of("p") == [{"title": text}]
    assert page.problems == []
