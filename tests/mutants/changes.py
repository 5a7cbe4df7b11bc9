"""Each small change of a module that its tests should detect, as the source of a mutant."""

import ast
import os.path
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, NamedTuple


class Mutant(NamedTuple):
    """`function` is the qualified name of the function inside which the change is."""

    line: int
    change: str
    source: str
    function: str


class Change(NamedTuple):
    """The source from the first node to the last, and its replacement in the mutant."""

    first: Any
    last: Any
    text: str
    function: str


OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OTHER_OPERATION: dict[type[ast.operator], type[ast.operator]] = {ast.Sub: ast.Add, ast.Div: ast.Mult}
OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any"}
DROPPED_METHODS = {"strip", "lower", "upper", "casefold", "filter", "exclude", "order_by", "distinct", "open"}
LONGEST_SHOWN = 140
UNCHANGED = {"failpoints", "log", "logger"}
"""Functions that only write a log, or let a test stop the process at that place."""


def mutants_of(source: str, names: frozenset[str] = frozenset()) -> Iterator[Mutant]:
    """Each mutant of the module that can be compiled, in the order of its lines."""
    tree = ast.parse(source)
    changes = _Changes(tree, names).found
    content = source.encode()
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for change in sorted(dict.fromkeys(changes), key=lambda change: (change.first.lineno, change.first.col_offset)):
        start = starts[change.first.lineno - 1] + change.first.col_offset
        end = starts[change.last.end_lineno - 1] + change.last.end_col_offset
        mutant = (content[:start] + change.text.encode() + content[end:]).decode()
        try:
            compile(mutant, "mutant", "exec")
        except SyntaxError:
            continue
        was = ast.unparse(change.first) if change.first is change.last else content[start:end].decode()
        yield Mutant(change.first.lineno, _in_short(was, change.text), mutant, change.function)


def _in_short(was: str, text: str) -> str:
    """Both sources as one line. Of a long table only the part that differs, with its surroundings."""
    was, text = " ".join(was.split()), " ".join(text.split())
    if len(was) > LONGEST_SHOWN:
        text = text[1:-1]
        start = len(os.path.commonprefix([was, text]))  # noqa: RUF071  (characters are what is meant)
        end = len(os.path.commonprefix([was[start:][::-1], text[start:][::-1]]))  # noqa: RUF071
        was, text = (f"...{each[max(start - 30, 0) : len(each) - max(end - 30, 0)]}..." for each in (was, text))
    return f"{was}  ->  {text}"


class _Changes(ast.NodeVisitor):
    """Collects the changes. Skips annotations, decorators, docstrings, UNCHANGED, and sentences outside of tables."""

    def __init__(self, tree: ast.Module, names: frozenset[str]) -> None:
        self.found: list[Change] = []
        self.in_function = self.in_table = False
        self.scope: list[str] = []
        self.members: dict[str, set[str]] = defaultdict(set)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _is_member(node):
                self.members[ast.unparse(node.value)].add(node.attr)
        for statement in tree.body:
            if not names or names & set(_names(statement)):
                self.visit(statement)
            elif isinstance(statement, ast.ClassDef):
                self.scope = [statement.name]
                self.visit_each(*(part for part in statement.body if names & set(_names(part, f"{statement.name}."))))
                self.scope = []

    def change(self, node: Any, *others: ast.AST | str, last: Any = None) -> None:
        function = ".".join(self.scope) if self.in_function else ""
        for other in others:
            text = other if isinstance(other, str) else f"({ast.unparse(other)})"
            if text != f"({ast.unparse(node)})":
                self.found.append(Change(node, last or node, text, function))

    def visit_each(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    # Statements

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.visit(node.args)
        if self.in_function:
            self.visit_each(*node.body)
        else:
            self.in_function = True
            self.scope.append(node.name)
            self.visit_each(*node.body)
            self.scope.pop()
            self.in_function = False

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if not self.in_function:
            self.scope.append(node.name)
        self.visit_each(*node.body)
        if not self.in_function:
            self.scope.pop()

    def visit_arguments(self, node: ast.arguments) -> None:
        self.visit_each(*node.defaults, *node.kw_defaults)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) or ast.unparse(node).split(".")[0] in UNCHANGED:
            return
        self.change(node, "pass")
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self.change(node, "pass")
        self.visit_values(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit_each(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.change(node, "pass")
        self.visit(node.value)

    def visit_Return(self, node: ast.Return) -> None:
        self.visit_values(node.value)

    def visit_values(self, node: ast.AST | None) -> None:
        """Skip several values that the caller unpacks: a missing value is always detected."""
        self.visit_each(*(node.elts if isinstance(node, ast.Tuple) and self.in_function else [node]))

    def visit_Raise(self, node: ast.Raise) -> None:
        self.change(node, "pass")
        self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self.change(node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self.change(node, "pass")

    def visit_If(self, node: ast.If) -> None:
        self.change(node.test, "True", "False")
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self.change(node.test, "False")
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if not isinstance(node.body[0], ast.Raise):
            self.change(node.body[0], "raise", last=node.body[-1])
        self.visit_each(*node.body)

    def visit_match_case(self, node: ast.match_case) -> None:
        self.change(node.body[0], "pass", last=node.body[-1])
        self.generic_visit(node)

    # Expressions

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.change(node, node.body, node.orelse)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.change(test, "True", "False")
        self.visit_each(node.iter, *node.ifs)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.change(node, *(_with(node, values=rest) for rest in _each_without(node.values)))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self.change(node, node.operand)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.change(node, node.left, node.right)
        if type(node.op) in OTHER_OPERATION:
            self.change(node, _with(node, op=OTHER_OPERATION[type(node.op)]()))
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for number, operator in enumerate(node.ops):
            other = OTHER_COMPARISON[type(operator)]()
            self.change(node, _with(node, ops=[*node.ops[:number], other, *node.ops[number + 1 :]]))
        left, right = node.left, node.comparators[0]
        if isinstance(left, ast.Tuple) and isinstance(right, ast.Tuple):
            for some, others in zip(_each_without(left.elts), _each_without(right.elts), strict=False):
                self.change(node, _with(node, left=_with(left, elts=some), comparators=[_with(right, elts=others)]))
            self.visit_each(*left.elts, *right.elts)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.change(node, *(_with(node, keywords=rest) for rest in _each_without(node.keywords)))
        function = node.func
        if isinstance(function, ast.Name) and function.id in OTHER_FUNCTION:
            self.change(function, OTHER_FUNCTION[function.id])
        if isinstance(function, ast.Attribute) and function.attr in DROPPED_METHODS:
            self.change(node, function.value)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if _is_member(node):
            members = sorted(self.members[ast.unparse(node.value)])
            self.change(node, _with(node, attr=members[(members.index(node.attr) + 1) % len(members)]))
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        match node.value:
            case bool():
                self.change(node, ast.Constant(not node.value))
            case int() | float():
                self.change(node, ast.Constant(node.value + 1))
            case str() if self.in_table or " " not in node.value:
                self.change(node, ast.Constant("XX" + node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pieces = [piece for piece in node.values if isinstance(piece, ast.Constant)]
        if self.in_table or not any(" " in str(piece.value) for piece in pieces):
            self.change(node, _with(node, values=[ast.Constant("XX"), *node.values]))
        self.visit_each(*(piece.value for piece in node.values if isinstance(piece, ast.FormattedValue)))

    # Tables

    def visit_Dict(self, node: ast.Dict) -> None:
        for keys, values in zip(_each_without(node.keys), _each_without(node.values), strict=True):
            self.change(node, _with(node, keys=keys, values=values))
        self.change(node, *(_with(node, values=values) for values in _each_swapped(node.values)))
        self.visit_parts(node)

    def visit_Set(self, node: ast.Set) -> None:
        self.change(node, *(_with(node, elts=rest) for rest in _each_without(node.elts)))
        self.visit_parts(node)

    def visit_List(self, node: ast.List | ast.Tuple) -> None:
        if isinstance(node.ctx, ast.Store):
            return
        self.change(node, *(_with(node, elts=rest) for rest in _each_without(node.elts)))
        if not self.in_function:
            self.change(node, *(_with(node, elts=elements) for elements in _each_swapped(node.elts)))
            for first, second in zip(node.elts, node.elts[1:], strict=False):
                for one, other in zip(_cells(first), _cells(second), strict=False):
                    self.change(one, other)
                    self.change(other, one)
        self.visit_parts(node)

    visit_Tuple = visit_List  # noqa: N815

    def visit_parts(self, node: ast.AST) -> None:
        outer, self.in_table = self.in_table, not self.in_function
        self.generic_visit(node)
        self.in_table = outer

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        self.visit_each(*(node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]))


def _names(statement: ast.stmt, start: str = "") -> Iterator[str]:
    """The names that a statement of a module or of a class defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield start + statement.name
    for node in ast.walk(statement) if isinstance(statement, ast.Assign | ast.AnnAssign) else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield start + node.id


def _is_member(node: ast.Attribute) -> bool:
    """Whether this is a member of an enumeration, as `Kind.UNKNOWN`."""
    return node.attr.isupper() and ast.unparse(node.value).split(".")[-1][0].isupper()


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    other = copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _each_without(items: Sequence[Any]) -> Iterator[list[Any]]:
    return ([*items[:number], *items[number + 1 :]] for number in range(len(items)))


def _each_swapped(items: Sequence[Any]) -> Iterator[list[Any]]:
    for number in range(len(items) - 1):
        yield [*items[:number], items[number + 1], items[number], *items[number + 2 :]]


def _cells(row: ast.AST) -> list[ast.expr]:
    """The cells of a row of a table, which is a tuple or a call."""
    return row.elts if isinstance(row, ast.Tuple) else row.args if isinstance(row, ast.Call) else []
