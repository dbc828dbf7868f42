// The name of a task on the wire, by which a worker finds its function.

/** A function by its source, or the export of a module. */
export type TaskRef =
  | { readonly kind: "source"; readonly source: string }
  | {
    readonly kind: "export";
    readonly module: string;
    readonly name: string;
    /** The name of the module for hosts on other machines. */
    readonly registered?: string | undefined;
  };

/** The `code` of the error when a module does not export the task that it was asked for. */
export const TASK_NOT_FOUND = "ERR_TASK_NOT_FOUND";

/** Whether a task carries its own source: that of a function, or in the URL of a module (`data:`, `blob:`). */
export function isInline(ref: TaskRef): boolean {
  if (ref.kind !== "export") return true;
  return !URL.canParse(ref.module) || /^(data|blob):$/.test(new URL(ref.module).protocol);
}
