"""The tables beside those of aiogram, which follows Telegram closely: when an upgrade of it brings more, these tests name what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest
from kits.call_kit import spec_of
from pydantic import BaseModel, Field

from syncbot.client.api.table import method_names
from syncbot.plain.objects import find_type, type_names
from syncbot.runtime.handling.kinds import API_VERSION, KINDS

if TYPE_CHECKING:
    from aiogram.types.base import TelegramObject  # aiogram is imported where it is needed: it takes seconds, and every process collects all tests

Table = Mapping[str, Mapping[str, bool]]
"""Methods or types; the names of what each has, and whether it is required."""


def fields(model: type[BaseModel]) -> dict[str, bool]:
    """The fields of one of aiogram's classes, less those that it calls deprecated."""
    found = model.model_fields.items()
    return {field.alias or name: field.is_required() for name, field in found if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra)}


def methods_of_aiogram() -> Table:
    import aiogram.methods
    from aiogram.methods.base import TelegramMethod

    classes = [each for each in vars(aiogram.methods).values() if isinstance(each, type) and issubclass(each, TelegramMethod)]
    return {str(getattr(each, "__api_method__")): fields(each) for each in classes if each is not TelegramMethod}  # noqa: B009  # abstract in the base


def our_methods() -> Table:
    return {name: {parameter.name: parameter.required for parameter in spec_of(name).parameters.values()} for name in method_names()}


def types_of_aiogram() -> Table:
    """Those that Telegram hands out; a type of several forms has the fields of all."""
    import aiogram.types

    return {name: {field: False for form in forms(getattr(aiogram.types, name)) for field in fields(form)} for name in type_names()}


def forms(model: type[TelegramObject]) -> Iterator[type[TelegramObject]]:
    """A class, or those below it where it has no field of its own but stands for one of several."""
    yield model
    if not model.model_fields:
        for form in model.__subclasses__():
            yield from forms(form)


def our_types() -> Table:
    ours = {name: [key for key, part in vars(find_type(name)).items() if isinstance(part, property)] for name in type_names()}
    return {name: dict.fromkeys(("from" if key == "from_user" else key.removesuffix("_") for key in keys), False) for name, keys in ours.items()}


def differences(theirs: Table, ours: Table) -> list[str]:
    """What one of the two has and the other has not, or needs otherwise, by name."""
    found = [f"{name} is new" for name in theirs if name not in ours] + [f"{name} is ours alone" for name in ours if name not in theirs]
    for name in sorted(set(theirs) & set(ours)):
        found += [f"{name}: {field} is new" for field in theirs[name] if field not in ours[name]]
        found += [f"{name}: {field} is ours alone" for field in ours[name] if field not in theirs[name]]
        found += [f"{name}: {field} is otherwise required" for field, needed in theirs[name].items() if ours[name].get(field, needed) is not needed]
    return found


def test_the_version_is_aiograms() -> None:
    """Both speak the same version of the Bot API."""
    import aiogram

    assert aiogram.__api_version__ == API_VERSION


def test_the_methods_are_aiograms() -> None:
    """Method by method and parameter by parameter, with what is required."""
    assert differences(methods_of_aiogram(), our_methods()) == []


def test_the_kinds_of_updates_are_aiograms() -> None:
    """Kind by kind."""
    import aiogram.types

    ours = {"Update": dict.fromkeys((kind.name for kind in KINDS), False)}
    assert differences({"Update": dict.fromkeys(set(fields(aiogram.types.Update)) - {"update_id"}, False)}, ours) == []


def test_the_types_are_aiograms() -> None:
    """Type by type and field by field, as far as Telegram hands them out."""
    assert differences(types_of_aiogram(), our_types()) == []


class SendSmell(BaseModel):
    """A method as aiogram writes it."""

    chat_id: int
    strength: int | None = None
    odour: str | None = Field(None, json_schema_extra={"deprecated": True})


@pytest.mark.parametrize(
    ("theirs", "ours", "named"),
    [
        ({"sendSmell": fields(SendSmell)}, {}, ["sendSmell is new"]),
        ({"sendSmell": fields(SendSmell)}, {"sendSmell": {"chat_id": True}}, ["sendSmell: strength is new"]),
        ({"sendSmell": fields(SendSmell)}, {"sendSmell": {"chat_id": False, "strength": False}}, ["sendSmell: chat_id is otherwise required"]),
        ({"sendSmell": fields(SendSmell)}, {"sendSmell": {"chat_id": True, "strength": False, "taste": False}}, ["sendSmell: taste is ours alone"]),
        ({}, {"sendSmell": {}}, ["sendSmell is ours alone"]),
    ],
)
def test_what_is_new_is_named(theirs: Table, ours: Table, named: list[str]) -> None:
    """A new method, a new parameter, one that is required now, and what is gone are named; what is deprecated there counts for nothing."""
    assert differences(theirs, ours) == named
