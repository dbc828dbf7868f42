// No promise in src/bullmq/ is without an owner: a rejection that nobody hears ends the program. `deno lint` knows no types, so
// TypeScript itself is asked.

import { assertEquals, assertMatch } from "@std/assert";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const OPTIONS: ts.CompilerOptions = {
  allowImportingTsExtensions: true,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: true,
  skipLibCheck: true,
  strict: true,
  target: ts.ScriptTarget.ESNext,
  types: ["node"],
  typeRoots: [join(ROOT, "node_modules/@types")],
};

/** Where a promise is dropped, as `file:line: code`. */
function withoutOwner(files: readonly string[], options = OPTIONS, host?: ts.CompilerHost): string[] {
  const program = ts.createProgram(files, options, host);
  const checker = program.getTypeChecker();
  const found: string[] = [];
  const isPromise = (type: ts.Type): boolean =>
    type.isUnion() ? type.types.some(isPromise) : type.getProperty("then") !== undefined;
  const isDropped = (node: ts.Expression): boolean => {
    if (ts.isVoidExpression(node) || ts.isParenthesizedExpression(node)) return isDropped(node.expression);
    if (ts.isBinaryExpression(node)) {
      return node.operatorToken.kind < ts.SyntaxKind.FirstAssignment && isDropped(node.right);
    }
    if (ts.isAwaitExpression(node) || !isPromise(checker.getTypeAtLocation(node))) return false;
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return true;
    const { name: { text } } = node.expression, { length } = node.arguments;
    return !((text === "catch" && length === 1) || (text === "then" && length === 2));
  };
  /** A callback whose promise its caller, who expects none, drops. */
  const isIgnored = (node: ts.FunctionExpression | ts.ArrowFunction): boolean => {
    const context = checker.getContextualType(node)?.getCallSignatures() ?? [];
    const own = checker.getTypeAtLocation(node).getCallSignatures();
    if (!context.some((signature) => signature.getReturnType().flags & ts.TypeFlags.Void)) return false;
    return own.some((signature) => isPromise(signature.getReturnType()));
  };
  for (const source of program.getSourceFiles()) {
    if (!files.includes(source.fileName)) continue;
    const visit = (node: ts.Node): void => {
      const dropped = ts.isExpressionStatement(node)
        ? !ts.isVoidExpression(node.expression) && isDropped(node.expression)
        : ts.isVoidExpression(node)
        ? isDropped(node)
        : ts.isArrowFunction(node) || ts.isFunctionExpression(node)
        ? isIgnored(node)
        : false;
      if (dropped) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${basename(source.fileName)}:${line + 1}: ${node.getText().split("\n")[0]}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

test("no promise in src/bullmq/ is without an owner", () => {
  const folder = join(ROOT, "src/bullmq");
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name).replaceAll("\\", "/"));
  assertEquals(withoutOwner(files), []);
});

test("a promise without an owner is found", () => {
  const lines = [
    ["work();", true],
    ["void work();", true],
    ["const f = () => void work();", true],
    ["later(() => work());", true],
    ["later(async () => {});", true],
    ["work().then(() => 1);", true],
    ["work().then(() => 1, () => 2);", false],
    ["work().catch(() => 1);", false],
    ["await work();", false],
    ["const kept = work();", false],
    ["later(() => {});", false],
  ] as const;
  const name = join(ROOT, "promises.ts").replaceAll("\\", "/");
  for (const [line, dropped] of lines) {
    const text =
      `declare function work(): Promise<number>; declare function later(then: () => void): void;\n${line}\nexport {};`;
    const host = ts.createCompilerHost(OPTIONS), { getSourceFile } = host;
    host.getSourceFile = (file, ...rest) =>
      file === name ? ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true) : getSourceFile(file, ...rest);
    const found = withoutOwner([name], { ...OPTIONS, types: [] }, host);
    assertEquals(found.length > 0, dropped, line);
    if (dropped) assertMatch(found[0]!, /^promises\.ts:2: /);
  }
});
