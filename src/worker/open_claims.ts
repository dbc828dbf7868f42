// The worker's end of the claims.

import type { ParentPort } from "../wire/channel.ts";
import { type SharedClaims, WordClaimsOfWorker, type WorkerClaims } from "../wire/claims.ts";
import { PageClaimsOfWorker } from "../wire/page_claims.ts";

/** Opens what the parent shares: a page by the number of its descriptor, or words of memory. */
export function openClaims(shared: SharedClaims | undefined, port: ParentPort): WorkerClaims | undefined {
  if (typeof shared === "number") return new PageClaimsOfWorker(port.openPage!(shared));
  return shared && new WordClaimsOfWorker(shared);
}
