// What a summary in Markdown is told: where things lie, and how much there is room for.

export interface SummaryOptions {
  /** Of UTF-8; default and most: 1,000,000, GitHub's 1 MiB less a reserve for what else the step writes. */
  maxBytes?: number;
  /** Where the whole report and its pictures lie; address null: known by its name only. */
  artifact?: { name: string; url: string | null } | null;
  /** Addresses of pictures, by name of the picture. */
  pictureUrls?: Readonly<Record<string, string>>;
  /** False where Mermaid is not drawn (old GitHub Enterprise servers): the rows of blocks in the tables remain. Default true. */
  diagrams?: boolean;
}

/** How much of everything is shown. */
export interface SummaryLimits {
  rows: number;
  open: number;
  problems: number;
  diagrams: number;
  pictures: number;
}
