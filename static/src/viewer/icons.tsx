/** Line icons of the reading room, 20 × 20, drawn in the current colour. */

const PATHS = {
  window: 'M10 3a7 7 0 100 14 7 7 0 000-14zM10 3v14M10 6h4M10 9h6M10 12h6M10 15h3',
  pan: 'M10 2v16M2 10h16M10 2L8 4.5M10 2l2 2.5M10 18l-2-2.5M10 18l2-2.5M2 10l2.5-2M2 10l2.5 2M18 10l-2.5-2M18 10l-2.5 2',
  zoom: 'M8.5 3a5.5 5.5 0 100 11 5.5 5.5 0 000-11zM12.5 12.5L17 17M8.5 6v5M6 8.5h5',
  scroll: 'M4 4h12M4 8h12M4 12h12M4 16h12',
  length: 'M3 17L17 3M2 14l4 4M14 2l4 4M8 12l1.5 1.5M11 9l1.5 1.5',
  arrow: 'M17 3L4 16M4 16h6M4 16v-6',
  ellipse: 'M10 5c4.4 0 8 2.2 8 5s-3.6 5-8 5-8-2.2-8-5 3.6-5 8-5z',
  freehand: 'M3 14c2-6 4-9 6-8s-2 8 1 9 3-7 7-8',
  pointer: 'M10 2v5M10 13v5M2 10h5M13 10h5M10 9.5a.5.5 0 100 1 .5.5 0 000-1z',
  invert: 'M10 3a7 7 0 100 14zM10 3a7 7 0 010 14',
  rotate: 'M15 6a6.5 6.5 0 101.5 5M16 2v4.5h-4.5',
  flip: 'M10 2v16M7 5L2 15h5zM13 5l5 10h-5z',
  reset: 'M4 4v5h5M4.5 9A6.5 6.5 0 1110 16.5',
  play: 'M6 3.5v13l10-6.5z',
  pause: 'M6.5 4v12M13.5 4v12',
  ai: 'M4 15L7.5 5h1L12 15M5.2 12h5.6M15.5 5v10',
  help: 'M7 7.5a3 3 0 115 2.2c-1.3 1-2 1.5-2 3M10 15.5v.5',
  mic: 'M10 2.5a2.5 2.5 0 00-2.5 2.5v5a2.5 2.5 0 005 0V5A2.5 2.5 0 0010 2.5zM5 9.5a5 5 0 0010 0M10 14.5V18',
  mic_off: 'M10 2.5a2.5 2.5 0 00-2.5 2.5v5a2.5 2.5 0 005 0V5A2.5 2.5 0 0010 2.5zM5 9.5a5 5 0 0010 0M10 14.5V18M3 3l14 14',
  camera: 'M2.5 6h10v8h-10zM12.5 9l5-3v8l-5-3z',
  camera_off: 'M2.5 6h10v8h-10zM12.5 9l5-3v8l-5-3zM3 3l14 14',
  leave: 'M12 3H4v14h8M9 10h9M15 7l3 3-3 3',
  hand: 'M6 11V5.5a1.2 1.2 0 012.4 0V9V4a1.2 1.2 0 012.4 0v5V5a1.2 1.2 0 012.4 0v5V7a1.2 1.2 0 012.3 0v5.5c0 3-2 5-5 5-2.500 0-3.500-1-4.500-3L3.500 11a1.200 1.200 0 012-1.200z',
  follow: 'M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM10 7.5a2.500 2.500 0 100 5 2.500 2.500 0 000-5z',
  send: 'M3 10l14-7-5 14-3-6z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round" />
    </svg>
  );
}
