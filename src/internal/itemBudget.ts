/** Counts what a stranger's message makes us allocate. */
export class ItemBudget {
  private left: number

  constructor(max: number) {
    this.left = max
  }

  /** Books one item; fails, through `reader`, when there are more than allowed. */
  take(reader: { readonly fail: (detail: string) => never }): void {
    if (--this.left < 0) reader.fail("too many items")
  }
}

/** Deepest nesting of attribute values that is read. */
export const maxValueDepth = 128
