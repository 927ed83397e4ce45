"""What a model asks for beyond what somebody relies on, made up."""

from typing import Any, get_args, get_origin

from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import BaseModel

Json = dict[str, Any]


def complete(model: type[BaseModel], given: Json) -> Json:
    """`given`, with a made-up value of the right shape for each required field that it lacks, however deep.

    The same each time. A reference that is made up leads nowhere, so whoever reads it fails; a list has two entries, unlike
    those of an example.
    """
    lacking = {name for name, field in model.model_fields.items() if field.is_required() and name not in given}
    factory = ModelFactory.create_factory(model, __random_seed__=1, __use_defaults__=True)
    first, second = (factory.build().model_dump(mode="json", include=lacking) for _ in range(2))
    made_up = {name: value + second[name] if isinstance(value, list) else value for name, value in first.items()}
    return made_up | {name: _completed(model.model_fields[name].annotation, value) for name, value in given.items()}


def _completed(annotation: Any, value: Any) -> Any:
    """By the model that a field, or the entries of a list or map, are of; anything else is as it is."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, dict):
        return complete(annotation, value)
    arguments = [each for each in get_args(annotation) if each not in (type(None), ...)]
    if get_origin(annotation) is dict:
        return {name: _completed(arguments[-1], inner) for name, inner in value.items()}
    if get_origin(annotation) is tuple:
        return [_completed(arguments[0], inner) for inner in value]
    return _completed(arguments[0], value) if arguments and get_origin(annotation) is not None else value
