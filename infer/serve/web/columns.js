// Which column of a file holds what, by the names that corpora use: those of `detente score` (infer/columns.py).

/** Names by what the column holds, the likeliest first. */
export const NAMES = {
  text: [
    "text", "body", "content", "article", "sentence", "fulltext", "full_text", "article_text", "maintext", "body_text",
  ],
  id: ["id", "doc_id", "document_id", "article_id", "uid", "guid", "url"],
  date: [
    "date", "published", "publish_date", "published_at", "publishedat", "date_publish", "date_published",
    "pub_date", "pubdate", "publication_date", "datetime", "timestamp",
  ],
  title: ["title", "headline"],
  source: ["source", "outlet", "publisher", "source_name", "source_domain", "newspaper", "domain", "corpus"],
}; // prettier-ignore

/**
 * Choose the columns.
 * @param {string[]} names of the columns that there are
 * @returns {{text: string, date: string, id: string, title: string, source: string}} empty where there is none
 * @throws {Error} if there is no text or no date, or two that could be the text
 */
export function guess(names) {
  const there = `there ${names.length === 1 ? "is" : "are"} ${names.join(", ") || "none"}`;
  const byNorm = new Map(names.map((name) => [name.trim().toLowerCase().replaceAll(/[ -]/g, "_"), name]).reverse());
  const chosen = {};
  for (const [what, likely] of Object.entries(NAMES)) {
    const found = likely.filter((name) => byNorm.has(name)).map((name) => byNorm.get(name));
    if (what === "text" && found.length > 1) {
      throw new Error(`The columns ${found.join(" and ")} could each be the text; rename one of them.`);
    }
    if (!found.length && (what === "text" || what === "date")) {
      throw new Error(`No column for the ${what}: ${there}. Name it ${likely.slice(0, 3).join(", ")} or the like.`);
    }
    chosen[what] = found[0] ?? "";
  }
  return chosen;
}
