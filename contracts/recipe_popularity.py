"""recipe-popularity: what share of the orders does each recipe of the menu take?"""

from contracts.component import Component
from contracts.configurator import RunPlanned
from contracts.data_extractor import HistoryExtracted
from contracts.message import Command, DatasetRef, Event


class ForecastRecipePopularity(Command):
    plan: RunPlanned
    history: tuple[HistoryExtracted, ...]


class RecipePopularityForecasted(Event):
    """Take rates per menu week and region, sorted by week, region and recipe.

    Columns: week (date32), region, recipe (strings), share (float64, sums to 1 per week and region) and spread (float64, equal
    within a week and region): the shares of one week are share * exp(spread * z), z standard normal for each recipe, over
    their sum.
    """

    popularity: DatasetRef


RECIPE_POPULARITY = Component(
    name="recipe-popularity",
    squad="saffron",
    input=ForecastRecipePopularity,
    output=RecipePopularityForecasted,
    fallback=True,
)
