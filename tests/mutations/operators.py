"""The standard changes to code, as places in a module's syntax tree.

Sentences for people, docstrings, annotations, assertions and lines of the log are left alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
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
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SENTENCES = {"_", "_now", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext"}
#: A key, a name of a field or a status; what has spaces is for people.
KEY = re.compile(r"[\w.:/-]+")


@dataclass(frozen=True)
class Mutant:
    """One change: of the `node`-th node of a module's tree, in the function `function`."""

    path: str
    node: int
    line: int
    function: str
    kind: str
    was: str


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions and methods of a module by their qualified names; not those inside others."""

    def inside(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + child.name, child
            elif isinstance(child, ast.ClassDef):
                yield from inside(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.If | ast.Try):
                yield from inside(child, prefix)

    yield from inside(tree, "")  # type: ignore[misc]


def _name(call: ast.Call) -> str:
    function = call.func
    return getattr(function, "id", "") or getattr(function, "attr", "")


def _is_log(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger.")


def _open(node: ast.AST) -> Iterator[ast.AST]:
    """What may be changed below `node`."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or field in ("annotation", "returns", "args_types"):
                continue
            if isinstance(child, ast.Assert | ast.JoinedStr | ast.arguments) or _is_log(child):
                continue
            if isinstance(child, ast.Call) and _name(child) in SENTENCES:
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.Call) and _name(child) == "cast":
                continue
            yield child
            yield from _open(child)


def kind_of(node: ast.AST) -> str | None:
    """By what name a change of this node goes; None where there is none."""
    match node:
        case ast.Compare(ops=[op]) | ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
            return f"{type(op).__name__} to {SWAPS[type(op)].__name__}"
        case ast.UnaryOp(op=ast.Not()):
            return "not left out"
        case ast.Constant(value=bool() | int() | float()):
            return "another constant"
        case ast.Constant(value=str(value)) if KEY.fullmatch(value):
            return "another constant"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            return "None returned"
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call()):
            return "condition turned round"
        case ast.IfExp(test=ast.Name() | ast.Attribute() | ast.Call()):
            return "condition turned round"
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())) if not _is_log(node.value):
            return "call left out"
        case ast.Raise():
            return "error not raised"
    return None


def _change(node: ast.AST) -> ast.AST:
    """The same node, changed; a new one where the whole is replaced."""
    match node:
        case ast.Compare():
            node.ops = [SWAPS[type(node.ops[0])]()]  # type: ignore[list-item]
        case ast.BinOp() | ast.BoolOp():
            node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
        case ast.UnaryOp():
            return node.operand
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value) | float(value)):
            node.value = value + 1
        case ast.Constant(value=value):
            node.value = f"{value}x"
        case ast.Return():
            node.value = ast.Constant(None)
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case _ if "super()" in ast.unparse(node):
            return ast.Expr(ast.Name("super", ast.Load()))  # Keeps the function's closure.
        case _:
            return ast.Pass()
    return node


def mutants(root: Path, path: str) -> Iterator[Mutant]:
    """Every change of the functions of a file."""
    tree = ast.parse((root / path).read_text())
    number = {id(node): at for at, node in enumerate(ast.walk(tree))}
    for name, function in functions(tree):
        for statement in function.body:
            whole = ast.Module([statement], [])
            for node in _open(whole):
                if kind := kind_of(node):
                    was = ast.unparse(node).partition("\n")[0][:100]
                    yield Mutant(path, number[id(node)], node.lineno, name, kind, was)  # type: ignore[attr-defined]


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def changed(source: str, mutant: Mutant) -> ast.Module:
    """The mutant's module with the change made."""
    tree = ast.parse(source)
    wanted = next(node for at, node in enumerate(ast.walk(tree)) if at == mutant.node)

    class Change(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is wanted:
                return ast.copy_location(_change(node), node)
            return super().generic_visit(node)

    return ast.fix_missing_locations(Change().visit(tree))


def compiled(tree: ast.Module, path: str) -> dict[tuple[str, int], CodeType]:
    """The code of all functions of a module, by qualified name and first line."""
    code = compile(tree, path, "exec", dont_inherit=True)
    return {(each.co_qualname, each.co_firstlineno): each for each in _codes(code)}
