"""Reading a page in tests: is it well formed, does it need anything from elsewhere, what does it say?"""

import re
from html.parser import HTMLParser

VOID = {"br", "col", "input", "link", "meta"}
LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "manifest", "ping"}


class Page(HTMLParser):
    """A parsed page. `problems` lists what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        if self._open:
            self.problems.append(f"never closed: {', '.join(self._open)}")
        self.problems += [f"id {name} is there twice" for name in set(self.ids) if self.ids.count(name) > 1]
        self.problems += [f"#{link} leads nowhere" for link in self.links if link not in self.ids]
        if re.search(r"url\(|@import", "".join(self.words_in("style"))):
            self.problems.append("the style sheet loads something")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        names = [name for name, _ in attrs]
        self.problems += [f"{tag} has {name} twice" for name in set(names) if names.count(name) > 1]
        for name, value in attrs:
            self._look_at(tag, name, value or "")

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name == "id":
            self.ids.append(value)
        if name.startswith("on"):
            self.problems.append(f"{tag} runs a script: {name}")
        if name in LOADING or (name == "href" and tag != "a" and not value.startswith(("data:", "#"))):
            self.problems.append(f"{tag} loads {value}")
        if name == "href" and value.startswith("#"):
            self.links.append(value[1:])

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self._open[-1] if self._open else 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        self._places.append(self._open[-1] if self._open else "")
        if self._open and self._open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)

    def reset(self) -> None:
        super().reset()
        self._places: list[str] = []

    def words_in(self, tag: str) -> list[str]:
        """The texts directly in such elements."""
        return [words for words, place in zip(self.words, self._places, strict=True) if place == tag]

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of such elements."""
        return [attributes for name, attributes in self.attributes if name == tag]

    @property
    def text(self) -> str:
        """What is read, without styles and scripts."""
        shown = [w for w, place in zip(self.words, self._places, strict=True) if place not in ("style", "script")]
        return " ".join(" ".join(shown).split())
