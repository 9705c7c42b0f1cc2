"""Splitting texts with and without markup, escaping, links that open a bot."""

from __future__ import annotations

import functools
import html
import html.parser
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import helpers
from telegram.constants import MessageLimit, ParseMode

from syncbot import text as texts
from syncbot.testing.api.text.markup import parse_markup
from syncbot.text import deep_link, escape_html, escape_markdown, mention_html, mention_markdown, split, utf16_length

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1eb\U0001f1ee"
CLUSTERS = (FAMILY, FLAG, "\U0001f44d\U0001f3fd", "e\u0301", "1\ufe0f\u20e3", "\U0001f600")
signs = st.one_of(st.sampled_from("ab c\n.&<>_*[]()~`>#+-=|{}!\\\"'"), st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from(CLUSTERS))
plain_texts = st.lists(signs, max_size=60).map("".join)
limits = st.integers(1, 40)

# ------------------------------------------------------------------ plain text


@given(plain_texts, limits)
def test_plain_pieces_fit_and_lose_nothing(text: str, limit: int) -> None:
    """Every piece is within the limit in characters, and joined they are the text; only white space on its own is left out."""
    pieces = split(text, limit=limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    if len(pieces) > 1 or len(text) > limit:
        assert all(visible(piece) for piece in pieces)
    assert visible("".join(pieces)) == visible(text)
    at = 0
    for piece in pieces:
        found = text.index(piece, at)
        assert not visible(text[at:found])
        at = found + len(piece)


def visible(text: str) -> str:
    """What is not white space, nor invisible."""
    shown = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    hidden = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
    return "".join(sign for sign in text if not (sign.isspace() or hidden.match(sign) or (unicodedata.category(sign) == "Cf" and sign not in shown)))


@pytest.mark.parametrize("sign", ["\U000e0020", "\u202a", "\u2063", "\ufe00", "\U000e0100", "\u1160"])
def test_what_cannot_be_seen_is_no_message_of_its_own(sign: str) -> None:
    """Tags, directions, joiners, variations and fillers that nothing visible stands beside are left out: Telegram refuses a text of nothing else."""
    assert split("a" * 20 + sign * 30, limit=20) == ["a" * 20]


def test_signs_of_the_format_that_can_be_seen_are_kept() -> None:
    """The Arabic number sign is a format character to Unicode, and seen all the same."""
    assert split("a" * 20 + "\u0600", limit=20) == ["a" * 20, "\u0600"]


@given(st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=60), st.integers(11, 40))
def test_no_emoji_is_cut(parts: list[str], limit: int) -> None:
    """Families, flags, skin tones, accents and key caps stay whole, and no surrogate is ever alone."""
    pieces = split("x".join(parts), limit=limit)
    cluster = re.compile("|".join(map(re.escape, (*CLUSTERS, "x"))))
    assert all("".join(cluster.findall(piece)) == piece for piece in pieces)
    assert "".join(pieces) == "x".join(parts)
    for piece in pieces:
        piece.encode("utf-8")


def test_what_cannot_fit_is_cut_between_characters() -> None:
    """A letter with more accents than a piece has room is cut between them rather than lost."""
    text = "a" + "\u0301" * 50
    pieces = split(text, limit=20)
    assert "".join(pieces)[:21] == text[:21]
    assert all(len(piece) <= 20 for piece in pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("aaaa bbb\n\ncc dd\nee f", ["aaaa bbb\n\n", "cc dd\nee f"]),
        ("aaaa bbb\ncc dd ee f", ["aaaa bbb\n", "cc dd ee f"]),
        ("aaaa bbb cc dd", ["aaaa bbb cc ", "dd"]),
        ("aaaaaaaaaaaaaaaa", ["aaaaaaaaaaaa", "aaaa"]),
        ("a\n\nbbbbbbb ccccc", ["a\n\nbbbbbbb ", "ccccc"]),
        ("aa\n\nbbbbbbbbbbbbbbb", ["aa\n\n", "bbbbbbbbbbbb", "bbb"]),
        ("aaaaaaa\u00a0bbbb\u00a0ccc", ["aaaaaaa\u00a0bbbb", "\u00a0ccc"]),
    ],
)
def test_a_piece_ends_at_the_best_place(text: str, pieces: list[str]) -> None:
    """A paragraph's end is better than a line's, that better than a word's; a small first piece is the last resort; a hard space is no place."""
    assert split(text, limit=12) == pieces


def test_limits() -> None:
    """4096 by default, in characters: an emoji counts one."""
    assert texts.MAX_TEXT_LENGTH == MessageLimit.MAX_TEXT_LENGTH
    assert texts.MAX_CAPTION_LENGTH == MessageLimit.CAPTION_LENGTH
    assert split("a" * 4096) == ["a" * 4096]
    assert split("\U0001f600" * 4096) == ["\U0001f600" * 4096]
    assert [len(piece) for piece in split("\U0001f600" * 4097)] == [4096, 1]
    assert [len(piece) for piece in split("<b>" + "\U0001f600" * 5000 + "</b>", "HTML")] == [4096 + 7, 904 + 7]
    assert split("") == []
    assert split("\n" * 5000) == []
    with pytest.raises(ValueError, match="limit of 1"):
        split("abc", limit=0)


@pytest.mark.parametrize("mode", ["Markdown", "BBCode"])
def test_other_parse_modes_are_refused(mode: str) -> None:
    """The old Markdown cannot be split, and says what can."""
    with pytest.raises(ValueError, match="use HTML or MarkdownV2"):
        split("a", mode)
    assert split("a", ParseMode.HTML) == ["a"]


# ------------------------------------------------------------------ markup


Formats = list[tuple[str, tuple[frozenset[str], ...]]]


def formats(text: str, mode: str) -> Formats:
    """Every character that shows something, with the formats on each of its UTF-16 code units, as a reader that is not ours finds them."""
    plain, entities = parse_markup(text, mode)
    on: list[set[str]] = [set() for _ in range(utf16_length(plain))]
    for entity in entities:
        what = repr(sorted((key, value) for key, value in entity.items() if key not in ("offset", "length")))
        for place in range(entity["offset"], entity["offset"] + entity["length"]):
            on[place].add(what)
    units = iter(on)
    found = [(sign, tuple(frozenset(next(units)) for _ in range(utf16_length(sign)))) for sign in plain]
    return [(sign, what) for sign, what in found if visible(sign)]


def check_pieces(source: str, mode: str, limit: int) -> list[str]:
    """Split, and check that each piece is whole by itself and that nothing changed."""
    pieces = split(source, mode, limit=limit)
    found: Formats = []
    for piece in pieces:
        plain, _ = parse_markup(piece, mode)
        assert len(plain) <= limit
        found += formats(piece, mode)
    assert found == formats(source, mode)
    return pieces


class Strict(html.parser.HTMLParser):
    """Refuses tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_entityref(self, name: str) -> None:
        self.text += html.unescape(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.text += html.unescape(f"&#{name};")


def strictly(piece: str) -> str:
    """The text of a piece of HTML, which has to be well-formed."""
    parser = Strict()
    parser.feed(piece)
    parser.close()
    assert not parser.open
    return parser.text


HTML_TAGS = ("b", "i", "u", "s", "code", "tg-spoiler", 'a href="https://example.com/?a=1&amp;b=2"', "blockquote", "blockquote expandable")


def html_node(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tags = st.sampled_from(HTML_TAGS)
    tagged = st.builds(lambda tag, inner: f"<{tag}>{inner}</{tag.partition(' ')[0]}>", tags, children)
    code = children.map(lambda inner: f'<pre><code class="language-python">{inner}</code></pre>')
    emoji = st.just('<tg-emoji emoji-id="5368324170671202286">\U0001f44d</tg-emoji>')
    return st.lists(st.one_of(children, tagged, code, emoji), max_size=4).map("".join)


html_texts = st.recursive(
    st.one_of(plain_texts.map(escape_html), st.sampled_from(["&lt", "&#128512;", "&#x1F600;", "a\n\nb"]).map(lambda text: text + " ")),
    html_node,
    max_leaves=8,
)


@pytest.mark.parametrize("examples", [100, pytest.param(300, marks=pytest.mark.slow)])
def test_html_pieces_are_whole_and_lose_nothing(examples: int) -> None:
    """Every piece of HTML is well-formed and within the limit; together they show the same text with the same formats."""

    @settings(max_examples=examples)
    @given(html_texts, limits)
    def holds(source: str, limit: int) -> None:
        source = re.sub(r"&lt ", "&lt; ", source)  # the reader that checks wants the semicolon
        pieces = check_pieces(source, "HTML", limit)
        assert visible("".join(map(strictly, pieces))) == visible(html.unescape(re.sub(r"<[^>]*>", "", source)))

    holds()


def test_html_tags_are_closed_and_opened_again() -> None:
    """What is open at a cut is closed there and opened again, with all its attributes, a code block with its language."""
    assert split('<b>one <i class="x">two three</i></b>', "HTML", limit=9) == ['<b>one <i class="x">two </i></b>', '<b><i class="x">three</i></b>']
    code = '<pre><code class="language-python">a = 1\nb = 2\n</code></pre>'
    assert split(code, "html", limit=6) == [
        '<pre><code class="language-python">a = 1\n</code></pre>',
        '<pre><code class="language-python">b = 2\n</code></pre>',
    ]


def test_html_references_are_never_cut() -> None:
    """A reference is one character, with or without its semicolon; one that Telegram does not know is plain text."""
    assert split("&amp;&lt;&#65;&#x1F600;&quot", "HTML", limit=2) == ["&amp;&lt;", "&#65;&#x1F600;", "&quot;"]
    assert split("&nbsp;", "HTML", limit=3) == ["&amp;nb", "sp;"]
    assert split("a&#0;", "HTML", limit=3) == ["a&amp;#", "0;"]


def test_html_attributes_may_hold_any_sign() -> None:
    """A '>' within quotes does not end a tag, and the case of a name does not matter."""
    assert split('<A href="a>b">one two</a>', "HTML", limit=4) == ['<A href="a>b">one </a>', '<A href="a>b">two</a>']


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<b>one two", "never closed"),
        ("one two</b>", "closes nothing"),
        ("<b><i>one two</b></i>", "</i> is due"),
        ("one < two three", "begins no tag"),
    ],
)
def test_broken_html_is_told_before_anything_is_sent(source: str, words: str) -> None:
    """Broken HTML that would have to be split is a ValueError that says where; HTML that fits is left for Telegram to judge."""
    with pytest.raises(ValueError, match=words):
        split(source, "HTML", limit=4)
    assert split(source, "HTML") == [source]
    many = source * 60
    assert split(many, "HTML") == [many]


def test_no_more_than_100_entities_a_piece() -> None:
    """Telegram formats 100 stretches of a message, so a piece has no more."""
    source = "<b>a</b> " * 250
    pieces = check_pieces(source, "HTML", 4096)
    assert [piece.count("<b>") for piece in pieces] == [100, 100, 50]


# ------------------------------------------------------------------ MarkdownV2

leaf_texts = st.lists(signs, max_size=30).map(lambda parts: "".join(parts).replace("\r", ""))
SIGNS = {"bold": "*", "italic": "_", "underline": "__", "strike": "~", "spoiler": "||"}


@st.composite
def markdown_lines(draw: Callable[..., Any], taken: frozenset[str] = frozenset(), depth: int = 3) -> str:
    """MarkdownV2 without quotations, whose signs never touch."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["text", "text", "code", "pre", "emoji", "link", *SIGNS]))
        if kind in taken or (kind not in ("text", "code", "pre", "emoji") and depth == 0):
            continue
        parts.append("x" + draw(markdown_of(kind, taken | {kind}, depth - 1)) + "x")
    return "".join(parts)


@functools.cache
def markdown_of(kind: str, taken: frozenset[str], depth: int) -> st.SearchStrategy[str]:
    if kind in SIGNS:
        return markdown_lines(taken, depth).map(lambda inner: f"{SIGNS[kind]}y{inner}y{SIGNS[kind]}")
    if kind == "link":
        return markdown_lines(taken, depth).map(lambda inner: f"[y{inner}](https://example.com/a_\\)b)")
    if kind == "emoji":
        return st.just("![\U0001f44d](tg://emoji?id=5368324170671202286)")
    code = leaf_texts.map(lambda text: escape_markdown(text, "code"))
    if kind == "code":
        return code.map(lambda text: f"`y{text}`")
    if kind == "pre":
        return st.builds(lambda text, language: f"```{language}\n{text}```", code, st.sampled_from(["", "python", "c++"]))
    return leaf_texts.map(escape_markdown)


@pytest.mark.parametrize("examples", [100, pytest.param(400, marks=pytest.mark.slow)])
def test_markdown_pieces_are_whole_and_lose_nothing(examples: int) -> None:
    """Every piece of MarkdownV2 is well-formed and within the limit; together they show the same text with the same formats."""

    @settings(max_examples=examples)
    @given(markdown_lines(), limits)
    def holds(source: str, limit: int) -> None:
        check_pieces(source, "MarkdownV2", limit)

    holds()


@st.composite
def quotations(draw: Callable[..., Any]) -> str:
    """MarkdownV2 with quotations of several lines, some of them expandable."""
    blocks = []
    for _ in range(draw(st.integers(1, 3))):
        signs = draw(st.sampled_from(["", "*", "_", "||", "~"]))
        lines = [escape_markdown(line.replace("\n", " ").replace("\r", "") + "z") for line in draw(st.lists(plain_texts, min_size=1, max_size=4))]
        inner = f"x{signs}y" + "\n".join(lines) + f"y{signs}"
        if draw(st.booleans()):
            inner = ">" + inner.replace("\n", "\n>") + draw(st.sampled_from(["", "||"]))
        blocks.append(inner)
    return "\nx\n".join(blocks)


@pytest.mark.parametrize("examples", [100, pytest.param(400, marks=pytest.mark.slow)])
def test_quotations_of_markdown_go_on_in_the_next_piece(examples: int) -> None:
    """A quotation that is cut is one in each piece, expandable where it was, with the marks that go over several of its lines."""

    @settings(max_examples=examples)
    @given(quotations(), limits)
    def holds(source: str, limit: int) -> None:
        check_pieces(source, "MarkdownV2", limit)

    holds()


def test_markdown_signs_are_closed_and_opened_again() -> None:
    """What is open at a cut ends there and begins again, a link with its address, a code block with its language on a line of its own."""
    assert split("*one _two three_*", "MarkdownV2", limit=8) == ["*one _two _*", "*_three_*"]
    assert split("[one two](https://a.b)", "MarkdownV2", limit=4) == ["[one ](https://a.b)", "[two](https://a.b)"]
    assert split("```python\na\nb\n```", "MarkdownV2", limit=2) == ["```python\na\n```", "```python\nb\n```"]
    assert split("```\none two```", "MarkdownV2", limit=4) == ["```\none ```", "```\ntwo```"]
    assert split("`a``b`", "MarkdownV2", limit=1 + 1) == ["`a``b`"]


def test_markdown_signs_that_would_touch_are_kept_apart() -> None:
    """An italic and an underlined stretch that end together are written so that Telegram reads them as they are."""
    assert split("__one _two three_ four__", "MarkdownV2", limit=8) == ["__one _two _**__", "__**_three_ __", "__four__"]
    assert split("_one __two three__ four_", "MarkdownV2", limit=8)[0] == "_one __two __**_"
    crowded = split("*a~b__c _d e_ f__~*", "MarkdownV2", limit=6)
    assert crowded[0] == "*a~b__c _d _||||__~*"
    check_pieces("*a~b__c _d e_ f__~*", "MarkdownV2", 6)


def test_markdown_quotations() -> None:
    """Each line of a quotation keeps its sign; an expandable one is closed as such; one that follows another at once is told apart."""
    assert split(">one\n>two\nthree", "MarkdownV2", limit=8) == [">one\n>two\n", "three"]
    assert split(">one\n>two||\nthree", "MarkdownV2", limit=5) == [">one\n>||", ">two||\n", "three"]
    both = split(">one\n**>two three||", "MarkdownV2", limit=11)
    assert both == [">one\n**>two ||", ">three||"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("one. two", "'.' must be escaped"),
        ("*one two", r"'\*' begins does not end"),
        ("```one two", "does not end"),
        ("[one two](https", "address of a link"),
        ("*one _two* three_", "would end what is outside"),
        (">*one\ntwo*", "within its quotation"),
        ("one > two", "'>' must be escaped"),
        ("one|two three", "must be escaped"),
    ],
)
def test_broken_markdown_is_told_before_anything_is_sent(source: str, words: str) -> None:
    """Broken MarkdownV2 that would have to be split is a ValueError that says where."""
    with pytest.raises(ValueError, match=words):
        split(source, "MarkdownV2", limit=4)
    assert split(source, "MarkdownV2") == [source]


@given(st.text(st.sampled_from("ab_*[]()~`>|\\!\n \u00e9"), max_size=40), limits)
def test_any_markdown_is_split_well_or_refused(source: str, limit: int) -> None:
    """Of any string of signs the pieces are ones that can be split again, or it is a ValueError; never anything else."""
    try:
        pieces = split(source, "MarkdownV2", limit=limit)
    except ValueError:
        return
    if len(source) > limit:
        assert all(split(piece, "MarkdownV2", limit=limit) == [piece] for piece in pieces)


@given(st.text(st.sampled_from("ab<>/&;=\"' lt#6"), max_size=40), limits)
def test_any_html_is_split_well_or_refused(source: str, limit: int) -> None:
    """Of any string of signs the pieces are well-formed, or it is a ValueError; never anything else."""
    try:
        pieces = split(source, "HTML", limit=limit)
    except ValueError:
        return
    if len(source) > limit:
        assert all(split(piece, "HTML", limit=limit) == [piece] for piece in pieces)


# ------------------------------------------------------------------ escaping and links


@given(st.text())
def test_escaping_is_what_python_telegram_bot_does(text: str) -> None:
    """The same text comes out as of telegram.helpers, for texts, code and addresses."""
    assert escape_html(text) == html.escape(text)
    assert escape_markdown(text) == helpers.escape_markdown(text, version=2)
    assert escape_markdown(text, "code") == helpers.escape_markdown(text, version=2, entity_type="code")
    assert escape_markdown(text, "pre") == helpers.escape_markdown(text, version=2, entity_type="pre")
    assert escape_markdown(text, "url") == helpers.escape_markdown(text, version=2, entity_type="text_link")
    assert mention_html(42, text) == helpers.mention_html(42, text)
    assert mention_markdown(42, text) == helpers.mention_markdown(42, text, version=2)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """Telegram shows an escaped text as it was, in both kinds of markup."""
    assert parse_markup(escape_html(text).replace("&#x27;", "'"), "HTML") == (text, [])
    assert parse_markup(escape_markdown(text), "MarkdownV2") == (text, [])


def test_escaping_inside_of_something_unknown_is_refused() -> None:
    """A misspelt place is a ValueError that names the right ones."""
    with pytest.raises(ValueError, match="'code', 'pre' or 'url'"):
        escape_markdown("a", "link")


@pytest.mark.parametrize(("payload", "group"), [("", False), ("abc-DEF_1", False), ("x" * 64, True)])
def test_deep_links(payload: str, group: bool) -> None:
    """The same links as of telegram.helpers; a leading @ does no harm."""
    assert deep_link("@test_bot", payload, group=group) == helpers.create_deep_linked_url("test_bot", payload, group)


@pytest.mark.parametrize(("username", "payload"), [("test_bot", "a b"), ("test_bot", "x" * 65), ("test_bot", "a\n"), ("abc", ""), ("", ""), ("a/../b", "")])
def test_bad_deep_links_are_refused(username: str, payload: str) -> None:
    """A payload with other characters or too many of them, or a name that is none, is a ValueError."""
    with pytest.raises(ValueError):
        deep_link(username, payload)
