"""What a model asks for beyond what somebody relies on, made up."""

from typing import Any, get_args, get_origin

from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import BaseModel

Json = dict[str, Any]


def complete(model: type[BaseModel], given: Json, optional: bool = False) -> Json:
    """`given`, with a made-up value of the right shape for each required field that it lacks, however deep.

    With `optional` for each field at all, and other values: who minds relies on more than is given. The same each time. A
    reference that is made up leads nowhere, so whoever reads it fails; a list has two entries, unlike those of an example.
    `degraded` is left out: what was replaced on the way is the runtime's, who hands it on.
    """
    wanted = {name for name, field in model.model_fields.items() if optional or field.is_required()}
    factory = ModelFactory.create_factory(
        model, __random_seed__=2 if optional else 1, __use_defaults__=not optional, __allow_none_optionals__=False
    )
    lacking = wanted - given.keys() - {"degraded"}
    first, second = (factory.build().model_dump(mode="json", include=lacking) for _ in range(2))
    made_up = {name: value + second[name] if isinstance(value, list) else value for name, value in first.items()}
    fields = model.model_fields
    return made_up | {name: _completed(fields[name].annotation, value, optional) for name, value in given.items()}


def _completed(annotation: Any, value: Any, optional: bool) -> Any:
    """By the model that a field, or the entries of a list or map, are of; anything else is as it is."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, dict):
        return complete(annotation, value, optional)
    arguments = [each for each in get_args(annotation) if each not in (type(None), ...)]
    if get_origin(annotation) is dict:
        return {name: _completed(arguments[-1], inner, optional) for name, inner in value.items()}
    if get_origin(annotation) is tuple:
        return [_completed(arguments[0], inner, optional) for inner in value]
    return _completed(arguments[0], value, optional) if arguments and get_origin(annotation) is not None else value
