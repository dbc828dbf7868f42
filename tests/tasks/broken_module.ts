// A module that fails while it loads.

export function neverThere(): void {}

throw new Error("this module fails to load");
