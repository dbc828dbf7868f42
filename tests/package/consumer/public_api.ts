// The public names of a package and their types, as TypeScript prints them: in words that do not depend on who wrote the
// declarations. Private fields are left out.

import { createRequire } from "node:module";
import { join } from "node:path";
import type TypeScript from "typescript";
import { ROOT } from "../../../scripts/install.ts";

const ts: typeof TypeScript = createRequire(join(ROOT, "package.json"))("typescript");

/**
 * Reads the types of what files export.
 *
 * @param files Modules or their declarations, by the names of the entry points.
 * @returns Of each entry point, each name with its type.
 */
export function publicApi(files: Readonly<Record<string, string>>): Record<string, Record<string, string[]>> {
  const program = ts.createProgram(Object.values(files), {
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true, noEmit: true },
    ...{ allowImportingTsExtensions: true, allowJs: true },
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ESNext,
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    // The peers of ./bullmq, which are in the project's own folder.
    ...{ baseUrl: ROOT, paths: { "*": ["./node_modules/*"] }, ignoreDeprecations: "6.0" },
    ...{ typeRoots: [join(ROOT, "node_modules", "@types")], types: ["node"] },
  });
  const checker = program.getTypeChecker();
  return Object.fromEntries(
    Object.entries(files).map(([name, file]) => {
      const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!);
      const names = symbol ? checker.getExportsOfModule(symbol) : [];
      return [name, Object.fromEntries(names.map((it) => [it.name, describe(it)]).sort())];
    }),
  );

  function describe(exported: TypeScript.Symbol): string[] {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const lines: string[] = [];
    if (symbol.flags & ts.SymbolFlags.Value) lines.push(...members("", checker.getTypeOfSymbol(symbol)));
    if (symbol.flags & ts.SymbolFlags.Type) lines.push(...members("type ", checker.getDeclaredTypeOfSymbol(symbol)));
    return lines.sort();
  }

  function members(prefix: string, type: TypeScript.Type): string[] {
    const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias |
      ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
    const print = (it: TypeScript.Type) => checker.typeToString(it, undefined, flags);
    const lines = [
      ...type.getCallSignatures().map((it) => `call ${checker.signatureToString(it, undefined, flags)}`),
      ...type.getConstructSignatures().map((it) => `new ${checker.signatureToString(it, undefined, flags)}`),
      ...type.getProperties().filter((it) => !it.name.includes("#")).map((it) => {
        const optional = it.flags & ts.SymbolFlags.Optional ? "?" : "";
        return `${it.name.replace(/@\d+$/, "")}${optional}: ${print(checker.getTypeOfSymbol(it))}`;
      }),
    ];
    // It prints `a?: A | undefined` for a declared parameter and `a?: A` for one with a default.
    return (lines.length > 0 ? lines : [print(type)])
      .map((line) => prefix + line.replaceAll(/(\?: [^,;()]+?) \| undefined(?=[,;)])/g, "$1"));
  }
}
