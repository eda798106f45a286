/** What the API needs of the node to break it on demand. */
export interface NodeFaults {
  /** All containers end at once, and nothing runs or is told until `revive`. */
  die(): Promise<void>;
  /** The node comes back: every pod that is still wanted starts again. Does nothing to a node that lives. */
  revive(): void;
  /** A disk is lost: the claim stays, what it held is gone. Answers whether there is such a claim, bound. */
  emptyClaim(namespace: string, name: string): boolean;
}
