/** A caught value as one line, whatever it is. Never throws. */
export const describeError = (error: unknown): string => {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return "an error that cannot be printed"
  }
}
