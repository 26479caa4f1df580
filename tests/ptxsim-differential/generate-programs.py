#!/usr/bin/env python3
"""generate-programs.py SEED COUNT: random C functions without undefined behaviour, as a header.

The header is compiled three times: for the host, by nvcc and by clang to PTX. Every function takes
integers of several widths, a float and a double, computes with local variables of all types, branches,
loops, switches and an indexed local array, and returns a hash of everything it holds. What is
undefined or differs between compilers is avoided: signed overflow (arithmetic is unsigned, then cast),
shift counts (masked), division (by something odd, or by 1..64), float to integer (only within +-100).
FP contraction is off for all three; NaN payloads are left out of the hash.
"""
import random
import sys

INTEGERS = ["signed char", "unsigned char", "short", "unsigned short", "int", "unsigned", "long long",
            "unsigned long long"]
FLOATS = ["float", "double"]
ALL = INTEGERS + FLOATS
BITS = {"signed char": 8, "unsigned char": 8, "short": 16, "unsigned short": 16, "int": 32, "unsigned": 32,
        "long long": 64, "unsigned long long": 64}
UNSIGNED = {8: "unsigned char", 16: "unsigned short", 32: "unsigned", 64: "unsigned long long"}
LITERALS = [0, 1, -1, 2, 7, 255, -128, 32767, 65535, 0x7FFFFFFF, -12345, 0x12345678, 1 << 40, -(1 << 35)]
PARAMETERS = [("a", "unsigned long long"), ("b", "unsigned long long"), ("c", "int"), ("e", "unsigned"),
              ("f", "float"), ("h", "double")]


class Program:
    """One function; `scope` holds (name, type) of what an expression may read."""

    def __init__(self, rng):
        self.rng = rng
        self.scope = list(PARAMETERS)
        self.names = 0

    def fresh(self, letter):
        self.names += 1
        return f"{letter}{self.names}"

    def literal(self, kind):
        if kind in FLOATS:
            return f"({kind}){self.rng.choice([0.5, 1.0, -2.25, 3.0, 1e-3, 7.75, -0.0, 1e6])}"
        return f"({kind}){self.rng.choice(LITERALS)}LL"

    def converted(self, text, source, target):
        if source == target:
            return text
        if source in FLOATS and target not in FLOATS:
            return f"({target})(({text}) >= ({source})-100 && ({text}) <= ({source})100 ? (int)({text}) : 3)"
        return f"({target})({text})"

    def leaf(self, kind):
        if self.rng.random() < 0.2:
            return self.literal(kind)
        name, source = self.rng.choice(self.scope)
        return self.converted(name, source, kind)

    def expression(self, kind, depth):
        if depth <= 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        return self.floating(kind, depth - 1) if kind in FLOATS else self.integer(kind, depth - 1)

    def floating(self, kind, depth):
        sub = lambda: self.expression(kind, depth)
        suffix = "F" if kind == "float" else "D"
        other = self.rng.choice(ALL)
        forms = [
            (50, lambda: f"(({kind})({sub()} {self.rng.choice('+-*')} {sub()}))"),
            (10, lambda: f"({kind})({sub()} / {sub()})"),
            (8, lambda: f"SQRT{suffix}(FABS{suffix}({sub()}))"),
            (8, lambda: f"{self.rng.choice(['FLOOR', 'CEIL', 'TRUNC', 'RINT'])}{suffix}({sub()})"),
            (6, lambda: f"{self.rng.choice(['FMIN', 'FMAX'])}{suffix}({sub()}, {sub()})"),
            (6, lambda: f"FMA{suffix}({sub()}, {sub()}, {sub()})"),
            (7, lambda: f"({self.condition(depth)} ? {sub()} : {sub()})"),
            (5, lambda: self.converted(self.expression(other, depth), other, kind)),
        ]
        return self.pick(forms)()

    def integer(self, kind, depth):
        sub = lambda: self.expression(kind, depth)
        count = lambda: f"({self.expression('unsigned', depth)} & {BITS[kind] - 1}u)"
        own = UNSIGNED[BITS[kind]]
        wide = "unsigned long long" if BITS[kind] == 64 else "unsigned"
        other = self.rng.choice(ALL)
        if BITS[kind] == 64:
            high = lambda: f"({kind})MULHI((unsigned long long){sub()}, (unsigned long long){sub()})"
        else:
            high = lambda: (f"({kind})(((unsigned long long)(unsigned){sub()} * (unsigned){sub()}) >> "
                            f"{self.rng.randrange(1, 33)})")
        forms = [
            (40, lambda: f"({kind})(({wide}){sub()} {self.rng.choice('+-*&|^')} ({wide}){sub()})"),
            (10, lambda: f"({kind})(({wide}){sub()} << {count()})"),
            (10, lambda: f"({kind})({sub()} >> {count()})"),
            (8, lambda: f"({kind})(({own})({sub()}) {self.rng.choice('/%')} ({own})(({sub()}) | 1))"),
            (4, lambda: f"({kind})(({sub()}) {self.rng.choice('/%')} ({kind})((({sub()}) & 0x3f) + 1))"),
            (4, lambda: f"({kind})~{sub()}"),
            (4, lambda: f"(({kind})({self.condition(depth)}))"),
            (8, lambda: f"({self.condition(depth)} ? {sub()} : {sub()})"),
            (3, high),
            (3, lambda: f"({kind})({self.rng.choice(['POPC', 'CLZ', 'FFS', 'BREV'])}"
                        f"({self.expression('unsigned', depth)}))"),
            (6, lambda: self.converted(self.expression(other, depth), other, kind)),
        ]
        return self.pick(forms)()

    def pick(self, forms):
        return self.rng.choices([form for _, form in forms], [weight for weight, _ in forms])[0]

    def condition(self, depth):
        if depth > 0 and self.rng.random() < 0.25:
            return f"({self.condition(depth - 1)} {self.rng.choice(['&&', '||'])} {self.condition(depth - 1)})"
        kind = self.rng.choice(ALL)
        compare = self.rng.choice(["<", "<=", ">", ">=", "==", "!="])
        return f"({self.expression(kind, depth - 1)} {compare} {self.expression(kind, depth - 1)})"

    def block(self, depth, count, indent, inLoop):
        """Statements whose variables are gone at its end."""
        outer = list(self.scope)
        lines = [line for _ in range(count) for line in self.statement(depth, indent, inLoop)]
        self.scope = outer
        return lines

    def statement(self, depth, indent, inLoop):
        kind = self.rng.random()
        if kind < 0.35 or depth == 0:
            return [self.assignment(indent) if self.rng.random() < 0.5 else self.declaration(indent)]
        if kind < 0.5:
            return [self.arrayStatement(indent)]
        if kind < 0.75:
            return self.ifStatement(depth, indent, inLoop)
        return self.loop(depth, indent) if kind < 0.92 else self.switch(indent)

    def declaration(self, indent):
        kind, name = self.rng.choice(ALL), self.fresh("v")
        line = f"{indent}{kind} {name} = {self.expression(kind, 3)};"
        self.scope.append((name, kind))
        return line

    def assignment(self, indent):
        variables = [each for each in self.scope if each[0][0] == "v"]
        if not variables:
            return self.declaration(indent)
        name, kind = self.rng.choice(variables)
        return f"{indent}{name} = {self.expression(kind, 3)};"

    def arrayStatement(self, indent):
        element = f"array[({self.expression('unsigned', 2)}) & 7u]"
        if self.rng.random() < 0.5:
            return f"{indent}{element} = (unsigned){self.expression('int', 2)};"
        return f"{indent}array[1] += {element};"

    def ifStatement(self, depth, indent, inLoop):
        lines = [f"{indent}if ({self.condition(2)}) {{"]
        lines += self.block(depth - 1, self.rng.randrange(1, 4), indent + "  ", inLoop)
        if self.rng.random() < 0.5:
            lines.append(f"{indent}}} else {{")
            lines += self.block(depth - 1, self.rng.randrange(1, 4), indent + "  ", inLoop)
        if inLoop and self.rng.random() < 0.3:
            lines.append(f"{indent}  {self.rng.choice(['break', 'continue'])};")
        return lines + [indent + "}"]

    def loop(self, depth, indent):
        name = self.fresh("i")
        turns = f"(int)(({self.expression('unsigned', 2)} & 7u) + 1)"
        lines = [f"{indent}for (int {name} = 0, end{name} = {turns}; {name} < end{name}; ++{name}) {{"]
        self.scope.append((name, "int"))
        lines += self.block(depth - 1, self.rng.randrange(1, 4), indent + "  ", True)
        self.scope.pop()
        return lines + [indent + "}"]

    def switch(self, indent):
        lines = [f"{indent}switch ({self.expression('unsigned', 2)} & 7u) {{"]
        for case in range(self.rng.randrange(3, 8)):
            lines.append(f"{indent}case {case}: {{")
            lines += self.block(0, 1, indent + "  ", False)
            lines.append(f"{indent}}}{' break;' if self.rng.random() < 0.7 else ''}")
        return lines + [indent + "}"]

    def text(self, index):
        arguments = ", ".join(f"{kind} {name}" for name, kind in PARAMETERS)
        lines = [f"FUNCTION unsigned long long program{index}({arguments}) {{",
                 "  unsigned array[8] = {1, 2, 3, 4, 5, 6, 7, 8};"]
        for _ in range(self.rng.randrange(5, 12)):
            lines += self.statement(3, "  ", False)
        lines.append("  unsigned long long hash = 0;")
        for name, kind in self.scope:
            value = {"float": f"FLOATBITS({name})", "double": f"DOUBLEBITS({name})"}.get(
                kind, f"(unsigned long long){name}")
            lines.append(f"  hash = hash * 31 + {value};")
        lines += ["  for (int i = 0; i < 8; ++i)", "    hash = hash * 31 + array[i];", "  return hash;", "}"]
        return "\n".join(lines)


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    print(f"// made by generate-programs.py {seed} {count}")
    for index in range(count):
        print(Program(rng).text(index))
    print("#define EACH_PROGRAM " + " ".join(f"PROGRAM({index})" for index in range(count)))


main()
