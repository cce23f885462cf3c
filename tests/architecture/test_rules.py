"""Rules of the house that no linter knows, read from the syntax tree of every module.

A rule that needs an exception says so on the line: ``# wall: <reason>`` for SQL written by hand,
``# long: <reason>`` for a module or function too long to be cut well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES, FUNCTION_LINES = 400, 40
GENERATED = "migrations/versions/"
# Where a statement of SQL may be written by hand, and where a transaction may end.
SQL = ("db/", "ledger/", "queue/", "identity/", "migrations/", "testing/")
COMMITS = (
    "app/", "web/", "queue/", "db/", "testing/", "onboarding/",
    # These count something that must stand whatever comes of the request.
    "identity/throttle.py", "identity/service.py", "plugins/health.py",
    "plugins/listening.py",  # and what a service receives, one transaction for each
    "plugins/apart.py",  # and what an outside service gave, which a second try cannot undo
)  # fmt: skip
# Where psycopg itself is used: to make databases, and to listen for the bell, which reads no table.
PSYCOPG = ("db/", "testing/", "queue/relay.py", "queue/bus.py")
ENGINES = ("db/", "testing/", "migrations/")


@dataclass(frozen=True)
class Module:
    """One source file; ``path`` as seen from its package, or with the plugin's name before it."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        tree = ast.parse(self.source)
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                child.parent = parent  # type: ignore[attr-defined]
        return tree

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node, walked once for all the rules."""
        return list(ast.walk(self.tree))

    @cached_property
    def lines(self) -> list[str]:
        return self.source.splitlines()

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported name stands for: ``now`` → ``huiyin.kit.time.now``."""
        known = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    known[name] = alias.name if alias.asname else name
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return known

    def within(self, *places: str) -> bool:
        return self.path.startswith(places)

    def remark(self, word: str, *numbers: int) -> bool:
        """Whether one of these lines carries ``# word: <reason>``."""
        return any(
            re.search(rf"# {word}: \S+", self.lines[number - 1])
            for number in numbers
            if 0 < number <= len(self.lines)
        )

    def full(self, node: ast.expr) -> str:
        """The dotted name a call or attribute stands for, as far as imports tell."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.full(node.value)}.{node.attr}"
        return "?"

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node, self.full(node.func)


Findings = Iterator[int]
Rule = Callable[[Module], Findings]


def engines_are_made_in_one_place(module: Module) -> Findings:
    if not module.within(*ENGINES):
        for node, name in module.calls():
            if name.rpartition(".")[2] in {"create_engine", "engine_from_config"}:
                yield node.lineno


def ddl(node: ast.AST) -> bool:
    """Whether an expression is part of a table's definition, not of a query."""
    while (parent := getattr(node, "parent", None)) is not None:
        if isinstance(parent, ast.keyword) and parent.arg in {"postgresql_where", "server_default"}:
            return True
        if isinstance(parent, ast.Call) and getattr(parent.func, "id", "") in {
            "Index",
            "CheckConstraint",
            "Computed",
        }:
            return True
        node = parent
    return False


def sql_by_hand_gives_a_reason(module: Module) -> Findings:
    """``text(...)`` and bare tables slip past the first wall, so they say why they may."""
    if module.within(*SQL):
        return
    for node, name in module.calls():
        by_hand = re.fullmatch(r"sqlalchemy\.(\w+\.)*text|sa\.text", name) and not ddl(node)
        if by_hand and not module.remark("wall", node.lineno, node.end_lineno or 0):
            yield node.lineno
    for node in module.nodes:
        bare = isinstance(node, ast.Attribute) and node.attr == "__table__"
        if bare and not module.remark("wall", node.lineno):
            yield node.lineno


def services_do_not_commit(module: Module) -> Findings:
    if not module.within(*COMMITS):
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and node.attr == "commit":
                yield node.lineno


CLOCKS = re.compile(
    r"(datetime\.)?datetime\.(now|utcnow|today)|(datetime\.)?date\.today|time\.(time|time_ns)"
)


def there_is_one_clock(module: Module) -> Findings:
    # Identifiers and leases take machine time on purpose; they decide nothing about a case.
    if not module.within("kit/time.py", "kit/ids.py"):
        for node, name in module.calls():
            if CLOCKS.fullmatch(name):
                yield node.lineno


def every_statement_is_in_a_transaction(module: Module) -> Findings:
    """AUTOCOMMIT makes the tenant's setting void."""
    for node in module.nodes:
        if isinstance(node, ast.Constant) and str(node.value).upper() == "AUTOCOMMIT":
            yield node.lineno
        asked = isinstance(node, ast.keyword) and node.arg == "autocommit"
        if asked and getattr(node.value, "value", 1) and not module.within(*PSYCOPG):
            yield node.value.lineno


PLAIN_SET = re.compile(r"\s*SET\s+(?!LOCAL\b)(SESSION\s+)?[\w.]+\s*(=|TO\b)", re.IGNORECASE)


def nothing_is_set_for_a_whole_session(module: Module) -> Findings:
    """A plain SET outlives the transaction and meets the connection's next borrower."""
    for node in module.nodes:
        words = node.value if isinstance(node, ast.Constant) else None
        if isinstance(words, str) and PLAIN_SET.match(words):
            yield node.lineno
    for node, name in module.calls():
        if name.endswith("func.set_config") and getattr(node.args[-1], "value", None) is not True:
            yield node.lineno


def only_the_command_line_prints(module: Module) -> Findings:
    if not module.within("app/cli"):
        for node, name in module.calls():
            if name in {"print", "pprint.pprint"}:
                yield node.lineno


def modules_are_short(module: Module) -> Findings:
    if GENERATED not in module.path and len(module.lines) > MODULE_LINES:
        body = module.tree.body
        head = next((n.lineno for n in body if not isinstance(n, ast.Expr)), 1)
        if not module.remark("long", *range(1, head + 1)):
            yield len(module.lines)


def functions_are_short(module: Module) -> Findings:
    if GENERATED in module.path:
        return
    for node in module.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        told = node.body[0] if ast.get_docstring(node) else None  # prose is no length
        prose = (told.end_lineno or 0) - told.lineno + 1 if told else 0
        long = (node.end_lineno or 0) - node.lineno + 1 - prose > FUNCTION_LINES
        if long and not module.remark("long", *range(start - 1, node.body[0].lineno + 1)):
            yield node.lineno


RULES: list[Rule] = [
    engines_are_made_in_one_place,
    sql_by_hand_gives_a_reason,
    services_do_not_commit,
    there_is_one_clock,
    every_statement_is_in_a_transaction,
    nothing_is_set_for_a_whole_session,
    only_the_command_line_prints,
    modules_are_short,
    functions_are_short,
]


def modules() -> Iterator[tuple[Path, Module]]:
    core = ROOT / "platform/src/huiyin"
    for path in sorted(core.rglob("*.py")):
        yield path, Module(path.relative_to(core).as_posix(), path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("plugins/*/src/**/*.py")):
        inside = path.relative_to(ROOT).as_posix()
        yield path, Module(inside, path.read_text(encoding="utf-8"))


@cache
def broken() -> dict[str, list[str]]:
    """Where each rule is broken; every module is read once for all of them."""
    found: dict[str, list[str]] = {rule.__name__: [] for rule in RULES}
    for path, module in modules():
        for rule in RULES:
            lines = found[rule.__name__]
            lines.extend(f"{path.relative_to(ROOT)}:{line}" for line in rule(module))
    return found


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_the_house_keeps_its_rules(rule):
    assert broken()[rule] == []


def test_there_is_something_to_keep_them_in():
    paths = {module.path for _, module in modules()}
    assert {"db/wall.py", "identity/service.py"} <= paths
    assert any(path.startswith("plugins/") for path in paths)


DATETIME = "from datetime import datetime, date\n"
TEXT = "from sqlalchemy import text\n"
LONG = "\n    pass" * FUNCTION_LINES
# rule, where, and a sample that breaks it there
BAD = [
    (engines_are_made_in_one_place, "web/a.py", "import sqlalchemy\nsqlalchemy.create_engine('x')"),
    (engines_are_made_in_one_place, "plugins/x/src/x/db/a.py", "create_engine(url)"),
    (sql_by_hand_gives_a_reason, "cases/a.py", TEXT + "text('SELECT 1')"),
    (sql_by_hand_gives_a_reason, "cases/a.py", "import sqlalchemy as sa\nsa.text('SELECT 1')"),
    (sql_by_hand_gives_a_reason, "cases/a.py", "from sqlalchemy import text as t\nt('SELECT 1')"),
    (sql_by_hand_gives_a_reason, "cases/a.py", TEXT + "text('SELECT 1')  # wall:"),
    (sql_by_hand_gives_a_reason, "cases/a.py", "select(Case.__table__)"),
    (services_do_not_commit, "cases/service.py", "session.commit()"),
    (services_do_not_commit, "identity/tokens.py", "done = session.commit"),
    (services_do_not_commit, "plugins/x/src/x/a.py", "session.commit()"),
    (there_is_one_clock, "cases/a.py", DATETIME + "datetime.now(UTC)"),
    (there_is_one_clock, "cases/a.py", DATETIME + "datetime.utcnow()"),
    (there_is_one_clock, "cases/a.py", DATETIME + "date.today()"),
    (there_is_one_clock, "cases/a.py", "import datetime as dt\ndt.datetime.now()"),
    (there_is_one_clock, "cases/a.py", "import time\ntime.time()"),
    (every_statement_is_in_a_transaction, "db/a.py", "c.options(isolation_level='AUTOCOMMIT')"),
    (every_statement_is_in_a_transaction, "web/a.py", "psycopg.connect(url, autocommit=True)"),
    (nothing_is_set_for_a_whole_session, "db/a.py", "text('SET huiyin.tenant = 1')"),
    (nothing_is_set_for_a_whole_session, "db/a.py", "text('SET SESSION row_security TO off')"),
    (nothing_is_set_for_a_whole_session, "db/a.py", "func.set_config('huiyin.tenant', x, False)"),
    (only_the_command_line_prints, "cases/a.py", "print('here')"),
    (modules_are_short, "cases/a.py", "x = 1\n" * (MODULE_LINES + 1)),
    (modules_are_short, "cases/a.py", "x = 1\n" * MODULE_LINES + "# long: too late to say so"),
    (functions_are_short, "cases/a.py", f"def f():{LONG}"),
    (functions_are_short, "cases/a.py", f"class C:\n  async def f(self):{LONG}"),
    (functions_are_short, "cases/a.py", f"def f():  # long:{LONG}"),
]
GOOD = [
    (engines_are_made_in_one_place, "db/a.py", "create_engine(url)"),
    (sql_by_hand_gives_a_reason, "queue/a.py", TEXT + "text('SELECT 1')"),
    (sql_by_hand_gives_a_reason, "cases/a.py", TEXT + "text('now()')  # wall: reads no table"),
    (sql_by_hand_gives_a_reason, "cases/a.py", TEXT + "Index('x', postgresql_where=text('a > 0'))"),
    (
        sql_by_hand_gives_a_reason,
        "cases/a.py",
        "from huiyin.kit import text\ntext.clean(answer.text())",
    ),
    (services_do_not_commit, "identity/service.py", "session.commit()"),
    (there_is_one_clock, "cases/a.py", "from huiyin.kit.time import now\nnow()"),
    (there_is_one_clock, "queue/a.py", "import time\ntime.monotonic()"),
    (every_statement_is_in_a_transaction, "web/a.py", '"""READ COMMITTED, never AUTOCOMMIT."""'),
    (nothing_is_set_for_a_whole_session, "db/a.py", "text('SET LOCAL lock_timeout = 1')"),
    (nothing_is_set_for_a_whole_session, "db/a.py", "func.set_config('huiyin.tenant', x, True)"),
    (only_the_command_line_prints, "app/cli_demo.py", "print('here')"),
    (modules_are_short, "a.py", "# long: one table\n" + "x = 1\n" * MODULE_LINES),
    (modules_are_short, "migrations/versions/0001.py", "x = 1\n" * 900),
    (functions_are_short, "a.py", f"def f():  # long: one table{LONG}"),
    (functions_are_short, "a.py", "def f():\n    '''One\n\n    two.'''" + LONG[9:]),
    (functions_are_short, "a.py", f"# long: one table\n@d\ndef f():{LONG}"),
]


@pytest.mark.parametrize(("rule", "path", "sample"), BAD, ids=range(len(BAD)))
def test_a_rule_sees_what_breaks_it(rule, path, sample):
    assert list(rule(Module(path, sample)))


@pytest.mark.parametrize(("rule", "path", "sample"), GOOD, ids=range(len(GOOD)))
def test_a_rule_lets_through_what_keeps_it(rule, path, sample):
    assert list(rule(Module(path, sample))) == []


def test_every_rule_is_tried_both_ways():
    assert {rule for rule, *_ in BAD} == set(RULES) == {rule for rule, *_ in GOOD}
