import type { Words } from "../words";

export const activity = {
  "activity.title": "Verlauf",
  "activity.list": "Beendete Uploads, die neuesten zuerst",
  "activity.search": "Im Verlauf suchen",
  "activity.search_hint": "Titel, Projekt, Video-ID…",
  "activity.clear": "Suche leeren",
  "activity.export": "Exportieren…",
  "activity.csv": "Als CSV…",
  "activity.json": "Als JSON…",
  "activity.exported": { one: "{count} Upload exportiert", other: "{count} Uploads exportiert" },
  "activity.today": "Heute",
  "activity.yesterday": "Gestern",
  "activity.uploaded": "Hochgeladen",
  "activity.retries": { one: "{count} Fehlversuch", other: "{count} Fehlversuche" },
  "activity.empty": "Noch ist nichts beendet",
  "activity.empty_body":
    "Jeder Upload, der fertig, abgebrochen oder aufgegeben ist, bleibt hier mit seinem Nachweis.",
  "activity.none": "Nichts gefunden zu „{search}“",
} as const satisfies Partial<Words>;
