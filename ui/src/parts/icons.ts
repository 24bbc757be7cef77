/** The one set of icons: strokes of 1.5 on a field of 16. */
export const ICONS = {
  queue: "M8 11.5V3M4.5 6.5 8 3l3.5 3.5M3 13.5h10",
  plus: "M8 3v10M3 8h10",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6L12.6 8z",
  resume: "M8 11.5V3M4.5 6.5 8 3l3.5 3.5M3 13.5h10",
  retry: "M12.8 8a4.8 4.8 0 1 1-1.5-3.5L13 6.2M13 3v3.2H9.8",
  send_anyway: "M8 13.2V3.6M3.8 7.6 8 3.4l4.2 4.2",
  copy_link:
    "M6.7 9.3a2.8 2.8 0 0 0 4 0l2-2a2.8 2.8 0 0 0-4-4l-1 1M9.3 6.7a2.8 2.8 0 0 0-4 0l-2 2a2.8 2.8 0 0 0 4 4l1-1",
  show_in_folder: "M2 4.5h4L7.5 6H14v6.5H2z",
  cancel: "M4 4l8 8M12 4l-8 8",
  remove: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  check: "M3.5 8.5l3 3 6-7",
  chevron: "M4.5 6.5 8 10l3.5-3.5",
  warning: "M8 2.5 14.5 13.5h-13zM8 6.8v3M8 11.8h.01",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 7.4v3.2M8 5.2h.01",
  computer: "M2.5 3h11v7.5h-11zM5.5 13.5h5M8 10.5v3",
  key: "M10.2 9.3a3.5 3.5 0 1 0-3.5-3.5c0 .5.1.9.2 1.3L2.5 11.5V14H5v-1.5h1.5V11l1.9-1.9c.5.1 1.2.2 1.8.2M11 5.2h.01",
  team: "M6 7.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6M1.8 13c.3-2.2 2-3.5 4.2-3.5s3.9 1.3 4.2 3.5M10.5 3.2a2.2 2.2 0 0 1 0 4.1M11.8 9.8c1.3.4 2.2 1.5 2.4 3.2",
  film: "M2.5 3.5h11v9h-11zM5 3.5v9M11 3.5v9M2.5 6.5H5M2.5 9.5H5M11 6.5h2.5M11 9.5h2.5",
  drop: "M8 2.5v7.5M4.5 6.5 8 10l3.5-3.5M2.5 10.5v3h11v-3",
  sound: "M2.5 6.3v3.4h2.3L8 12.5v-9L4.8 6.3zM10.5 5.8a3 3 0 0 1 0 4.4M12.3 4a5.5 5.5 0 0 1 0 8",
  muted: "M2.5 6.3v3.4h2.3L8 12.5v-9L4.8 6.3zM10.8 6.3l3 3.4M13.8 6.3l-3 3.4",
  fullscreen: "M6 2.8H2.8V6M10 2.8h3.2V6M6 13.2H2.8V10M10 13.2h3.2V10",
  window: "M2.8 6H6V2.8M13.2 6H10V2.8M2.8 10H6v3.2M13.2 10H10v3.2",
  disconnect: "M6.5 3H3v10h3.5M10 5l3 3-3 3M13 8H6.5",
} as const;

export type IconName = keyof typeof ICONS;
