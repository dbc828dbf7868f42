// What to do about the errors of inline tasks that come of their having left their module.

const MOVE = "move the function to a module and use task()";

/**
 * Says what to do about it when an inline task used what is only in its module.
 *
 * @param thrown What the task threw.
 * @param source The task.
 * @returns The same; where there is something to say, with a longer message.
 */
export function explain(thrown: unknown, source: string): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { message } = thrown;
  const advice = thrown instanceof ReferenceError ? adviseOnName(message, source) : adviseOnImport(message, source);
  try {
    if (advice) thrown.message = advice;
  } catch {
    // A frozen one stays as it is.
  }
  return thrown;
}

function adviseOnName(message: string, source: string): string | undefined {
  // V8's words, and JavaScriptCore's.
  const [, name] = /^([^\s.]+) is not defined$/.exec(message) ?? /^Can't find variable: ([^\s.]+)$/.exec(message) ?? [];
  if (!name) return undefined;
  const kind = name.replaceAll("$", "\\$");
  if (/import_?meta/.test(name)) {
    return `${name} is not defined: so your build tool calls import.meta, which an inline task has not; ` +
      `pass import.meta.url, say, as an argument, or ${MOVE}`;
  }
  // `(0, path_1.join)("a")`, and the names that tools give to the modules which a module imports.
  if (/^(__vi(te_ssr)?_import_\d+__|import_\w+)$/.test(name) || new RegExp(`\\(0, ?${kind}\\.`).test(source)) {
    return `${name} is not defined: so your build tool calls a module that is imported, and an inline task has none ` +
      `of the imports of its module; call import() in it, or ${MOVE}`;
  }
  if (/^(__\w+|_[a-z]+(_[a-z]|[A-Z])\w*)$/.test(name) || new RegExp(`\\b${kind}\\([\\w$]+, ?"`).test(source)) {
    return `${name} is not defined: it looks like a helper that your build tool adds, and an inline task is sent by its ` +
      `source alone; have it compiled for a newer target and without keeping names, or ${MOVE}`;
  }
  return `${name} is not defined: an inline task is sent by its source and cannot close over variables; ` +
    `move it to a module and use task(), or pass '${name}' as an argument`;
}

/** Of an `import("./x.ts")` that has found nothing. */
function adviseOnImport(message: string, source: string): string | undefined {
  if (!/\b(module|resolve|import)/i.test(message)) return undefined;
  for (const [, path, name] of source.matchAll(/\b_?import(?:__)?\(\s*["'`](\.\.?\/(?:[^"'`]*\/)?([^"'`/]+))["'`]/g)) {
    if (message.includes(name!)) {
      return `${message}: an inline task has left its module, so "${path}" is not looked for beside that; ` +
        `pass import.meta.resolve("${path}") as an argument and import what that is, or ${MOVE}`;
    }
  }
  return undefined;
}
