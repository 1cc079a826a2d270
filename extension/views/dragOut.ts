// Files and folders of backups can be dragged out of the Repositories view: into an editor, the Explorer, a terminal. What takes
// them reads them through the read-only file system.

import type { DataTransfer, TreeDragAndDropController } from "vscode";
import { DataTransferItem } from "vscode";
import { uriOf } from "./nodeItems.js";
import type { Node } from "./nodes.js";

const URI_LIST = "text/uri-list";

export const dragOut: TreeDragAndDropController<Node> = {
  dragMimeTypes: [URI_LIST],
  dropMimeTypes: [],
  handleDrag(nodes: readonly Node[], transfer: DataTransfer): void {
    const uris = nodes.flatMap((node) => (node.kind === "entry" && !node.entry.forbidden ? [uriOf(node)] : []));
    if (uris.length > 0) transfer.set(URI_LIST, new DataTransferItem(uris.map((uri) => uri.toString()).join("\r\n")));
  },
};
