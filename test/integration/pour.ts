const megabyte = Buffer.alloc(1024 * 1024, 0x0a)

/** Writes `count` megabytes, as fast as they are taken. */
export const pour = (to: NodeJS.WritableStream & { readonly destroyed: boolean }, count: number): void => {
  let left = count
  const more = (): void => {
    while (left > 0 && !to.destroyed) {
      left--
      if (!to.write(megabyte)) return void to.once("drain", more)
    }
    to.end()
  }
  more()
}
