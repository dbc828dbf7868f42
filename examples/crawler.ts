// A crawler: addresses stream into a worker, and what it finds on their pages streams out, while it reads on.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ThreadPoolExecutor } from "@concurrent/futures";

// A small site to crawl: each page names others.
const site: Record<string, string[]> = { "/": ["/news", "/shop"], "/news": ["/", "/shop"], "/shop": ["/shop/1", "/"] };
const server = createServer(({ url }, response) => {
  response.end(`<h1>Page ${url}</h1> ${(site[url!] ?? []).map((path) => `<a href="${path}">more</a>`)}`);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const start = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

// The task: it pulls an address when it has room for it, and yields a page when it has read it.
async function* crawl(addresses: AsyncIterable<string>) {
  for await (const address of addresses) {
    const text = await (await fetch(address)).text();
    const links = [...text.matchAll(/href="(.*?)"/g)].map(([, path]) => new URL(path!, address).href);
    yield { title: /<h1>(.*)<\/h1>/.exec(text)![1]!, links };
  }
}

// What was found goes in again, until no page is left.
const seen = new Set([start]), titles: string[] = [];
let more!: ReadableStreamDefaultController<string>;
const addresses = new ReadableStream<string>({ start: (controller) => (more = controller).enqueue(start) });

await using executor = new ThreadPoolExecutor();
for await (const { title, links } of executor.stream(crawl, addresses)) {
  titles.push(title);
  for (const link of links) {
    if (seen.has(link)) continue;
    seen.add(link);
    more.enqueue(link);
  }
  if (titles.length === seen.size) more.close();
}
console.log(titles.join(", ")); // Page /, Page /news, Page /shop, Page /shop/1
server.close();
server.closeAllConnections();
