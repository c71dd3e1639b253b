/** One colour for each person, by the order in which they came; none of them is the colour of AI or of alarm. */
const COLORS = ['#7fd1ff', '#ffd166', '#8fe388', '#ff9ecb', '#f4a261', '#9ad7c6'];

export function colorOfOrdinal(ordinal: number): string {
  return COLORS[Math.max(0, ordinal - 1) % COLORS.length]!;
}
