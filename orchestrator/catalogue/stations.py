"""A component on the catalogue page: what it takes and gives, who depends on it, and how far it may be pushed."""

from collections.abc import Iterable

from contracts.component import Component, Limit
from orchestrator.catalogue.content import Content, Given, Queue, Station, Taken
from orchestrator.catalogue.messages import message
from orchestrator.page.markup import Child, Markup, el, join


def section(content: Content, station: Station) -> Markup:
    return el(
        "section",
        el("h3", station.component.name, *_pills(station)),
        el("p", station.question, class_="question") if station.question else None,
        el(
            "div",
            el("div", el("h4", "Takes"), el("ul", *(_taken(fields) for fields in _by_message(station)))),
            el("div", el("h4", "Gives"), el("ul", *(_given(given) for given in station.gives))),
            class_="exchange",
        ),
        _facts(station),
        message(content, station.command, "command", station.takes),
        *(message(content, given.message, "event") for given in station.gives),
        id=station.component.name,
        class_="station",
    )


def by(component: Component) -> Markup:
    """A link to a component, with its squad."""
    return join(el("a", component.name, href=f"#{component.name}"), " ", el("small", component.squad))


def _pills(station: Station) -> list[Markup]:
    component = station.component
    words = [*(component.versions if component.flagged else ())]
    words += ["fallback"] if component.fallback else []
    words += ["announced"] if component.announced else []
    return [join(" ", el("span", word, class_="pill")) for word in words]


def _by_message(station: Station) -> Iterable[list[Taken]]:
    """Each message once, whatever number of fields it fills."""
    found: dict[str, list[Taken]] = {}
    for taken in station.takes:
        found.setdefault(taken.message, []).append(taken)
    return found.values()


def _taken(fields: list[Taken]) -> Markup:
    message, giver = fields[0].message, fields[0].giver
    if giver is None:
        return el("li", el("code", message), el("div", "from whoever starts the run", class_="who"))
    how = " and ".join(_how(taken) for taken in fields)
    link = el("a", el("code", message), href=f"#{message}")
    return el("li", link, el("div", f"{how}, from ", by(giver), class_="who"))


def _how(taken: Taken) -> str:
    if taken.entry_of:
        return f"one of its {taken.entry_of}"
    return f"all as {taken.field}" if taken.many else f"as {taken.field}"


def _given(given: Given) -> Markup:
    link = el("a", el("code", given.message), href=f"#{given.message}")
    takers: list[Child] = [el("li", by(taker)) for taker in given.takers]
    if given.announced:
        takers.append(el("li", "readers outside the pipelines"))
    who = el("ul", *takers, class_="who") if takers else el("div", "nobody takes it", class_="who")
    notes = [f"replaced by {given.replaced_by}"] if given.replaced_by else []
    notes += [f"sent inside of {given.inside}"] if given.inside else []
    notes += ["needed by"] if takers else []
    return el("li", link, *(el("div", note, class_="who") for note in notes), who)


def _facts(station: Station) -> Markup:
    component = station.component
    facts: list[tuple[str, Child]] = [
        ("Pipelines", ", ".join(station.pipelines)),
        ("Queue", join(*(_queue(queue, component) for queue in station.queues))),
        ("Versions", _versions(component) if component.flagged else None),
        ("Fallback", _fallback(component)),
        ("Policy", _policy(component)),
    ]
    return el("dl", *(el("div", el("dt", name), el("dd", fact)) for name, fact in facts if fact), class_="facts")


def _queue(queue: Queue, component: Component) -> Markup:
    version = f"{queue.version}: " if component.flagged else None
    return el("div", version, el("code", queue.name), ", dead letters in ", el("code", queue.dead_letters))


def _versions(component: Component) -> Markup:
    flag = "; ".join(f"--flag {component.name}={version}" for version in component.versions[1:])
    runs = "".join(f"; {each.version} is a run of the pipeline {each.pipeline}" for each in component.nested)
    return join(f"{component.versions[0]}, or with ", el("code", flag), runs)


def _fallback(component: Component) -> str:
    if component.fallback:
        return "yes: after the last attempt it answers instead, and the run goes on, degraded"
    return "no: after the last attempt the run fails"


def _policy(component: Component) -> str:
    policy = component.policy
    parts = [
        f"{policy.timeout} s an attempt",
        f"heartbeat {policy.heartbeat} s",
        f"lease {policy.lease} s",
        *(_attempts(limit) for limit in policy.limits),
        f"{policy.io_attempts} tries of I/O",
        f"{component.concurrency} at a time",
    ]
    return ", ".join(parts)


def _attempts(limit: Limit) -> str:
    if len(limit.errors) == 1:
        return f"{limit.attempts} attempts at {limit.errors[0]}"
    return f"{limit.attempts} attempts"
