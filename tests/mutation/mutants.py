"""Small changes of a module's source, each of which some test ought to notice.

Cosmic Ray finds the places and changes them. Of its changes those are left out that say the same as another one (a sum
becomes a difference, not also nine other things), those that only change annotations, which nothing runs, and other
numbers for a module's constants: what a limit is was decided, and a test that repeats the number proves nothing; that
it is kept does show.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

BINARY = (
    *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div", "Mod_Mul", "Pow_Mul"),
    *("BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitAnd", "LShift_RShift", "RShift_LShift"),
)
COMPARISONS = (
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "In_NotIn", "NotIn_In"),
    *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
)
ALIKE = {"ReplaceBinaryOperator_": BINARY, "ReplaceComparisonOperator_": COMPARISONS}
"""Families of operators, and which of them are taken."""
_OF_NUMBERS = ("NumberReplacer", "ReplaceBinaryOperator")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a module."""

    operator: str
    number: int
    """Of the line, from 1."""
    line: str
    """That line before."""
    after: str
    source: str
    """The whole module, changed."""


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every change of a module's source that tests could notice, each once."""
    lines, seen = source.splitlines(), {behaviour(source)}
    no_sums = _lines_of_constants(source) | _lines_of_heads(source)
    for name in operator_names():
        operator_class = get_operator(name)
        short = name.partition("/")[2]
        if operator_class.arguments() or not is_taken(short):
            continue
        operator = operator_class()
        places = sum(1 for node in ast_nodes(get_ast(source)) for _ in operator.mutation_positions(node))
        for occurrence in range(places):
            changed = mutate_code(source, operator, occurrence)
            if changed is None or not is_python(changed) or (does := behaviour(changed)) in seen:
                continue
            seen.add(does)
            after = changed.splitlines()
            number = next(place for place, line in enumerate(lines) if after[place : place + 1] != [line])
            if short.startswith(_OF_NUMBERS) and number + 1 in no_sums:
                continue
            if lines[number].lstrip().startswith("@dataclass"):
                continue  # how it is stored, which types check
            yield Mutant(short, number + 1, lines[number].strip(), after[number].strip(), changed)


def _lines_of_constants(source: str) -> set[int]:
    """Lines, from 1, on which a module gives a name to a constant."""
    constants = [node for node in ast.parse(source).body if isinstance(node, ast.Assign | ast.AnnAssign)]
    return {line for node in constants for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def _lines_of_heads(source: str) -> set[int]:
    """Lines, from 1, of the heads of functions: of them only the `*` looks like an operator."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return {line for node in functions for line in range(node.lineno, node.body[0].lineno)}


def is_python(source: str) -> bool:
    """Whether it compiles: an operator may put parentheses where none may stand."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def is_taken(operator: str) -> bool:
    """Whether an operator is one of those that are not alike."""
    for family, taken in ALIKE.items():
        if operator.startswith(family):
            return operator.removeprefix(family) in taken
    return True


class _Bare(ast.NodeTransformer):
    """Takes annotations away, and protocols, which types are checked by."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
            node.body = [ast.Pass()]
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        self.generic_visit(node)
        return node


def behaviour(source: str) -> str:
    """What a module does: its code without annotations."""
    return ast.dump(_Bare().visit(ast.parse(source)))
