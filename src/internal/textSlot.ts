/** How many texts a small table holds. */
export const textSlots = 16

/** Where `text` stands in a table of {@link textSlots}: few values of one attribute share a place. */
export const textSlot = (text: string): number => {
  const last = text.length - 1
  return last < 0 ? 0 : (text.length ^ text.charCodeAt(0) ^ text.charCodeAt(last) << 1) & (textSlots - 1)
}
