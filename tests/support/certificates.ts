// Certificates for a server of a test: an authority of its own, and what it has signed.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Files in PEM; they are removed at the end. */
export class Certificates implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "futures-tls-"));
  /** The authority's certificate. */
  readonly ca: string = join(this.folder, "ca.pem");
  /** The certificate of a server on 127.0.0.1, and of its clients. */
  readonly cert: string = join(this.folder, "cert.pem");
  readonly key: string = join(this.folder, "key.pem");

  /** Makes them with openssl. */
  constructor() {
    const [authorityKey, request, extensions] = ["ca.key", "request.pem", "extensions"].map((name) =>
      join(this.folder, name)
    ) as [string, string, string];
    const pair = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    writeFileSync(extensions, "subjectAltName=IP:127.0.0.1\n");
    openssl("req", "-x509", ...pair, "-keyout", authorityKey, "-out", this.ca, "-days", "2", "-subj", "/CN=authority");
    openssl("req", ...pair, "-keyout", this.key, "-out", request, "-subj", "/CN=server");
    openssl(
      ...["x509", "-req", "-in", request, "-CA", this.ca, "-CAkey", authorityKey, "-CAcreateserial", "-days", "2"],
      ...["-extfile", extensions, "-out", this.cert],
    );
  }

  /** The text of the authority's certificate. */
  get authority(): string {
    return readFileSync(this.ca, "utf8");
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
