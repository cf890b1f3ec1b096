/** Shared with the skeleton, which must not pull the charts in. */
export const chartHeight = 260;
