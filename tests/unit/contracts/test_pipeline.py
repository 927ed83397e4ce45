"""What a pipeline is refused for when it is built, and what it becomes when it is not."""

import re

import pytest

from contracts.errors import PipelineError
from contracts.graph import Need, Selection
from contracts.message import Command, Event
from contracts.pipeline import Choice, Flow, Map, Parallel, Sequence
from tests.unit.contracts.kitchen import (
    CLOSER,
    HERBS,
    HOST,
    LAYER,
    WAITER,
    Booked,
    HerbsChopped,
    KitchenClosed,
    Room,
    Table,
    TableLaid,
    TableServed,
    component,
    pipeline,
)
from tests.unit.contracts.orders import ORDERS

TABLES = Map((LAYER, WAITER), over="plan.tables")


def refused(*steps: Flow, naming: tuple[str, ...]) -> str:
    """The reason a pipeline is refused for, which names all of `naming`."""
    with pytest.raises(PipelineError) as caught:
        pipeline(*steps)
    reason = str(caught.value)
    for name in naming:
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", reason), f"{name} is not named in: {reason}"
    return reason


class GarnishTable(Command):
    plan: Booked
    herbs: HerbsChopped


class TableGarnished(Event):
    pass


GARNISHER = component("garnisher", GarnishTable, TableGarnished)


def test_an_input_that_nothing_gives() -> None:
    reason = refused(HOST, GARNISHER, naming=("garnisher", "herbs", "HerbsChopped", "supper"))
    assert "nothing gives it" in reason


def test_an_input_that_is_given_later() -> None:
    reason = refused(HOST, GARNISHER, HERBS, naming=("garnisher", "HerbsChopped", "herbs"))
    assert reason.count(" but ") == 1
    assert reason.endswith("but herbs gives it after or beside garnisher: put garnisher behind herbs")


def test_an_input_from_the_branch_beside() -> None:
    reason = refused(HOST, Parallel((HERBS, GARNISHER)), naming=("garnisher", "herbs", "HerbsChopped"))
    assert "beside garnisher" in reason


class Asks(Command):
    plan: Booked
    answer: "Answered"


class Asked(Event):
    pass


class Answers(Command):
    plan: Booked
    question: Asked


class Answered(Event):
    pass


Asks.model_rebuild()


def test_a_cycle_names_the_whole_circle() -> None:
    asker, answerer = component("asker", Asks, Asked), component("answerer", Answers, Answered)
    reason = refused(HOST, asker, answerer, naming=("asker", "answerer", "supper"))
    assert "cycle" in reason


class TakesItsOwn(Command):
    plan: Booked
    before: "GivesItsOwn"


class GivesItsOwn(Event):
    pass


TakesItsOwn.model_rebuild()


def test_a_component_that_takes_what_it_gives() -> None:
    snake = component("snake", TakesItsOwn, GivesItsOwn)
    assert "snake → snake" in refused(HOST, snake, naming=("snake",))


@pytest.mark.parametrize("over", ["herbs.grams", "plan.guests", "tables", "plan.", "plan.tables.seats"])
def test_a_map_over_anything_but_a_list_of_the_plan(over: str) -> None:
    refused(HOST, HERBS, Map((LAYER, WAITER), over=over), naming=("layer", "host", over, "tables"))


def test_a_map_over_a_field_that_is_no_list_of_items() -> None:
    """A component need not take the item, so its input does not tell."""
    assert "no list of items" in refused(HOST, Map((HERBS,), over="plan.evening"), naming=("herbs", "plan.evening"))
    assert pipeline(HOST, Map((HERBS,), over="plan.tables")).graph.node("herbs").item_field is None


@pytest.mark.parametrize("on", ["laid.table", "plan.mood", "evening"])
def test_a_choice_on_anything_but_the_plan(on: str) -> None:
    choice = Choice(on=on, cases={"friday": Map((LAYER, WAITER), over="plan.tables", only=("1",))}, otherwise=TABLES)
    refused(HOST, choice, naming=("layer", "host", on, "evening"))


def only_table_1(on: str, value: str) -> Choice:
    return Choice(on=on, cases={value: Map((LAYER, WAITER), over="plan.tables", only=("1",))}, otherwise=TABLES)


def test_a_choice_on_a_field_that_is_no_text() -> None:
    """A state machine compares it with texts."""
    assert "no text" in refused(HOST, only_table_1("plan.tables", "1"), naming=("layer", "plan.tables"))


def test_a_case_that_never_comes() -> None:
    refused(
        HOST, only_table_1("plan.evening", "fryday"), naming=("layer", "fryday", "plan.evening", "friday", "saturday")
    )
    assert pipeline(HOST, only_table_1("plan.weather", "rain")).graph.node("layer").selection


def test_only_some_items_without_a_case_for_it() -> None:
    """There would be no condition under which the others are computed."""
    some = Map((LAYER, WAITER), over="plan.tables", only=("1", "2"))
    reason = refused(HOST, some, naming=("layer", "1", "2"))
    assert "a case of a Choice" in reason
    refused(HOST, Choice(on="plan.evening", cases={"friday": TABLES}, otherwise=some), naming=("layer", "1", "2"))


def test_a_case_that_computes_all() -> None:
    graph = pipeline(HOST, Choice(on="plan.evening", cases={"friday": TABLES}, otherwise=TABLES)).graph
    assert graph.node("layer").selection == Selection(on="evening", cases={})


def test_a_choice_between_maps_of_different_components() -> None:
    choice = Choice(on="plan.evening", cases={"friday": Map((LAYER,), over="plan.tables")}, otherwise=TABLES)
    assert "must map the same" in refused(HOST, choice, naming=("plan.evening",))


def test_a_choice_between_maps_over_different_lists() -> None:
    choice = Choice(on="plan.evening", cases={"friday": Map((LAYER, WAITER), over="plan.rooms")}, otherwise=TABLES)
    assert "must map the same" in refused(HOST, choice, naming=("plan.evening",))


class CleanRoom(Command):
    plan: Booked
    room: Room


class RoomCleaned(Event):
    pass


def test_an_item_of_another_type_than_the_map_gives() -> None:
    cleaner = component("cleaner", CleanRoom, RoomCleaned)
    reason = refused(
        HOST, Map((cleaner,), over="plan.tables"), naming=("cleaner", "room", "Room", "plan.tables", "Table")
    )
    assert "gives Table" in reason
    assert pipeline(HOST, Map((cleaner,), over="plan.rooms")).graph.node("cleaner").item_field == "room"


def test_an_item_outside_a_map() -> None:
    assert "is not in a Map" in refused(HOST, LAYER, naming=("layer", "table", "Table"))


class TallyTable(Command):
    plan: Booked
    served: TableServed


class TasteAll(Command):
    plan: Booked
    herbs: tuple[HerbsChopped, ...]


class Tasted(Event):
    pass


def test_one_taken_where_many_are_given() -> None:
    reason = refused(HOST, TABLES, component("tally", TallyTable, Tasted), naming=("tally", "served", "waiter"))
    assert "tuple[TableServed, ...]" in reason


def test_many_taken_where_one_is_given() -> None:
    reason = refused(HOST, HERBS, component("taster", TasteAll, Tasted), naming=("taster", "herbs", "HerbsChopped"))
    assert "gives one" in reason


class ServeAgain(Command):
    table: Table
    laid: tuple[TableLaid, ...]


def test_many_taken_where_the_map_gives_the_same_item() -> None:
    waiter = component("waiter", ServeAgain, TableServed)
    reason = refused(HOST, Map((LAYER, waiter), over="plan.tables"), naming=("waiter", "laid", "layer"))
    assert "type the field TableLaid" in reason


def test_a_component_twice() -> None:
    assert "twice" in refused(HOST, HERBS, HERBS, naming=("supper", "herbs"))


def test_a_component_twice_in_two_maps() -> None:
    assert "twice" in refused(HOST, TABLES, Map((LAYER, WAITER), over="plan.tables"), naming=("layer", "waiter"))


def test_two_components_that_give_the_same() -> None:
    """An edge is a type: with two sources it would be the first one's, silently."""
    other = component("other-herbs", ChopMore, HerbsChopped)
    refused(HOST, HERBS, other, GARNISHER, naming=("herbs", "other-herbs", "HerbsChopped"))


class ChopMore(Command):
    plan: Booked


def test_two_components_that_take_the_same_command_are_no_trouble() -> None:
    other = component("other-herbs", ChopMore, TableGarnished)
    assert pipeline(HOST, HERBS, other).graph.has("other-herbs")


@pytest.mark.parametrize("steps", [(), (HERBS,), (Parallel((HOST, HERBS)), HERBS), (TABLES,)])
def test_no_plan_first(steps: tuple[Flow, ...]) -> None:
    assert "must start with a component whose output is a Plan" in refused(*steps, naming=("supper",))


class ReadTable(Command):
    plan: Booked
    laid: tuple[TableLaid, ...]


def test_a_component_hidden_in_a_map_used_outside() -> None:
    reason = refused(HOST, TABLES, component("reader", ReadTable, Tasted), naming=("reader", "laid", "layer", "waiter"))
    assert "only waiter" in reason


def test_a_component_hidden_in_a_branch_used_outside() -> None:
    branch = pipeline(HOST, HERBS, GARNISHER).flow.steps[1:]
    taster = component("taster", GarnishTable, Tasted)
    refused(HOST, Parallel((Sequence(branch), TABLES)), taster, naming=("taster", "herbs", "garnisher"))


class TakesNothing(Command):
    pass


def test_a_component_that_takes_nothing() -> None:
    reason = refused(HOST, component("sleeper", TakesNothing, Tasted), naming=("sleeper",))
    assert "nothing would trigger it" in reason


class TakesNumber(Command):
    plan: Booked
    number: int


def test_a_field_that_no_component_can_fill() -> None:
    refused(HOST, component("counter", TakesNumber, Tasted), naming=("counter", "number", "int"))


def test_edges_follow_from_types() -> None:
    graph = pipeline(HOST, HERBS, TABLES, CLOSER).graph
    assert [node.component for node in graph.nodes] == ["host", "herbs", "layer", "waiter", "closer"]
    assert graph.planner.request_field == "request"
    assert graph.node("layer").needs == (Need(field="plan", component="host", how="one"),)
    assert graph.node("waiter").needs == (Need(field="laid", component="layer", how="same"),)
    assert graph.node("closer").needs == (
        Need(field="plan", component="host", how="one"),
        Need(field="served", component="waiter", how="all"),
    )
    assert (graph.node("layer").over, graph.node("layer").item_field) == ("tables", "table")
    assert [node.component for node in graph.consumers("host")] == ["herbs", "layer", "closer"]
    with pytest.raises(PipelineError, match="supper has no component cellar"):
        graph.node("cellar")


def test_a_second_map_over_the_same_list_takes_all_of_the_first() -> None:
    closing = component("again", CloseEach, KitchenClosed)
    graph = pipeline(HOST, TABLES, Map((closing,), over="plan.tables")).graph
    assert graph.node("again").needs[-1].how == "all"


class CloseEach(Command):
    table: Table
    served: tuple[TableServed, ...]


def test_a_choice_becomes_a_selection() -> None:
    choice = Choice(
        on="plan.evening", cases={"friday": Map((LAYER, WAITER), over="plan.tables", only=("1", "2"))}, otherwise=TABLES
    )
    graph = pipeline(HOST, choice, CLOSER).graph
    for name in ("layer", "waiter"):
        assert graph.node(name).selection == Selection(on="evening", cases={"friday": ("1", "2")})
    assert graph.node("closer").selection is None


def test_the_order_simulation_pipeline() -> None:
    graph = ORDERS.graph
    edges = {node.component: [f"{need.component} {need.how}" for need in node.needs] for node in graph.nodes}
    assert edges == {
        "configurator": [],
        "data-extractor": ["configurator one"],
        "order-volume": ["configurator one", "data-extractor all"],
        "recipe-popularity": ["configurator one", "data-extractor all"],
        "network-configuration": ["configurator one", "order-volume one", "recipe-popularity one"],
        "order-simulator": [
            "configurator one",
            "order-volume one",
            "recipe-popularity one",
            "network-configuration all",
        ],
        "site-forecast": ["configurator one", "order-simulator same"],
        "publisher": ["configurator one", "site-forecast all", "data-extractor all", "network-configuration all"],
    }
