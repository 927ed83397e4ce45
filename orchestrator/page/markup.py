"""HTML and SVG from nested calls. A plain text is always escaped; only what these functions made is markup."""

from html import escape


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | None
Value = str | int | float | bool | None

_VOID = {"br", "col", "input", "link", "meta"}


def el(tag: str, *children: Child, **attributes: Value) -> Markup:
    """One element. `class_` is the attribute class and `aria_label` is aria-label; None and False leave an attribute out."""
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """Elements and texts one after the other."""
    return Markup("".join(_child(child) for child in children if child is not None))


def _child(child: str) -> str:
    return child if isinstance(child, Markup) else escape(child, quote=False)


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(_text(value))}"'


def _text(value: str | float) -> str:
    """Coordinates keep one decimal: a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
