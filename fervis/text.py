"""Texts that change with the reader's language: what the author wrote and what fervis says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

ANY = ""  # the key of a text that is the same in every language


@dataclass(frozen=True)
class Text:
    """What an author wrote: one string for every language, or one string per language tag.

    A pydantic model may have fields of this type: in the file they are a string or a mapping
    from language tag to string.
    """

    by_language: Mapping[str, str]

    @classmethod
    def same(cls, text: str) -> Text:
        """The same ``text`` in every language."""
        return cls({ANY: text})

    def in_language(self, language: str) -> str:
        """The text in ``language`` (a BCP 47 tag), else the one for all, else the first one."""
        for key in (language, language.split("-")[0], ANY):
            if key in self.by_language:
                return self.by_language[key]
        return next(iter(self.by_language.values()), "")

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema as schema

        string = schema.str_schema()
        return schema.union_schema(
            [
                schema.is_instance_schema(cls),
                schema.no_info_after_validator_function(cls.same, string),
                schema.no_info_after_validator_function(
                    cls, schema.dict_schema(string, string, min_length=1)
                ),
            ],
            serialization=schema.plain_serializer_function_ser_schema(
                lambda text: dict(text.by_language)
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        string = {"type": "string"}
        mapping = {"type": "object", "additionalProperties": string, "minProperties": 1}
        return {"anyOf": [string, mapping]}


@dataclass(frozen=True)
class Message:
    """A sentence of fervis itself: an English ``str.format`` pattern and the values in it.

    The page translates ``msgid`` through the gettext catalogue and then fills in ``values``, of
    which Text and Message are put into the same language first.
    """

    msgid: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence in English, as for a terminal."""
        return self.msgid.format(**self.values)


def message(msgid: str, **values: Any) -> Message:
    """Marks ``msgid`` for extraction into the catalogues and binds its values."""
    return Message(msgid, values)
