/** What is wrong with the time, as an input gives it, from which something planned is to count. */
export const startProblem = (text: string): string | null =>
  text !== "" && new Date(text).getTime() > Date.now() ? null : "Choose a time to come";
