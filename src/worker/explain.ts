// Explains errors of inline tasks that occur because the task runs outside of its module.

const MOVE = "move the function to a module and use task()";

/**
 * Adds advice to the error of an inline task that used a variable or an import of its module.
 *
 * @param thrown What the task threw.
 * @param source The source of the task.
 * @returns The same, with a longer message where there is advice.
 */
export function explain(thrown: unknown, source: string): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { message } = thrown;
  const advice = thrown instanceof ReferenceError ? adviseOnName(message, source) : adviseOnImport(message, source);
  try {
    if (advice) thrown.message = advice;
  } catch {
    // A frozen error stays as it is.
  }
  return thrown;
}

function adviseOnName(message: string, source: string): string | undefined {
  // The words of V8, and those of JavaScriptCore.
  const [, name] = /^([^\s.]+) is not defined$/.exec(message) ?? /^Can't find variable: ([^\s.]+)$/.exec(message) ?? [];
  if (!name) return undefined;
  const kind = name.replaceAll("$", "\\$");
  if (/import_?meta/.test(name)) {
    return `${name} is not defined: your build tool turned import.meta into this, and an inline task has none; pass what you ` +
      `need of it as an argument, such as import.meta.url, or ${MOVE}`;
  }
  // `(0, path_1.join)("a")`, and names that tools give to imported modules.
  if (/^(__vi(te_ssr)?_import_\d+__|import_\w+)$/.test(name) || new RegExp(`\\(0, ?${kind}\\.`).test(source)) {
    return `${name} is not defined: your build tool turned an import into this, and an inline task has none of the ` +
      `imports of its module; call import() in the task, or ${MOVE}`;
  }
  if (/^(__\w+|_[a-z]+(_[a-z]|[A-Z])\w*)$/.test(name) || new RegExp(`\\b${kind}\\([\\w$]+, ?"`).test(source)) {
    return `${name} is not defined: it looks like a helper that your build tool adds, and an inline task is sent by its ` +
      `source alone; compile for a newer target and without keeping names, or ${MOVE}`;
  }
  return `${name} is not defined: an inline task is sent by its source and cannot close over variables; ` +
    `move it to a module and use task(), or pass '${name}' as an argument`;
}

/** Advice on an `import("./x.ts")` that has found nothing. */
function adviseOnImport(message: string, source: string): string | undefined {
  if (!/\b(module|resolve|import)/i.test(message)) return undefined;
  for (const [, path, name] of source.matchAll(/\b_?import(?:__)?\(\s*["'`](\.\.?\/(?:[^"'`]*\/)?([^"'`/]+))["'`]/g)) {
    if (message.includes(name!)) {
      return `${message}: an inline task runs outside of its module, so "${path}" is not relative to that; ` +
        `pass import.meta.resolve("${path}") as an argument and import it, or ${MOVE}`;
    }
  }
  return undefined;
}
