import type { Words } from "../words";

export const queue = {
  "queue.title": "Warteschlange",
  "queue.list": "Uploads",
  "queue.sum": { one: "{count} Video · noch {size}", other: "{count} Videos · noch {size}" },
  "queue.sum_done": "Alles ist bei Ihrem Team",
  "queue.sum_paused": { one: "{count} Video angehalten", other: "{count} Videos angehalten" },
  "queue.pause_all": "Alle anhalten",
  "queue.resume_all": "Alle fortsetzen",
  "queue.add": "Hinzufügen…",
  "queue.speed_now": "Tempo jetzt: {speed}",
  "queue.speed_minute": "Tempo der letzten Minute, jetzt {speed}",

  "group.uploading": "Lädt hoch",
  "group.needs": "Braucht Ihre Hilfe",
  "group.waiting": "Wartet",
  "group.today": "Heute fertig",
  "group.earlier": "Früher",

  "state.waiting": "Wartet",
  "state.next": "Als Nächstes",
  "state.preparing": "Wird vorbereitet",
  "state.uploading": "Lädt hoch",
  "state.recording": "Wird während der Aufnahme hochgeladen",
  "state.writing": "Wartet, bis die Datei fertig geschrieben ist",
  "state.paused": "Angehalten",
  "state.schedule": "Wartet laut Zeitplan",
  "state.metered": "Wartet auf ein anderes Netz",
  "state.battery": "Wartet auf Netzstrom",
  "state.offline": "Wartet auf das Netz",
  "state.backoff": "Neuer Versuch in {seconds} s",
  "state.backoff_now": "Neuer Versuch",
  "state.finishing": "Wird abgeschlossen",
  "state.processing": "Wird verarbeitet",
  "state.ready": "Fertig",
  "state.needs": "Braucht Ihre Hilfe",
  "state.failed": "Nicht hochgeladen",
  "state.not_playable": "Ließ sich nicht abspielbar machen",
  "state.cancelled": "Abgebrochen",

  "row.of": "{part} von {whole}",
  "row.speed": "{speed}",
  "row.verified": "{size} geprüft",
  "row.sent": "{size} gesendet",
  "row.progress": "Fortschritt von {title}",
  "row.progress_text": "{percent}, {part} von {whole} bestätigt",
  "row.actions": "Aktionen für {title}",
  "row.says": "Der Server meldet: „{reason}“.",

  "left.moment": "weniger als eine Minute",
  "left.minutes": "noch {minutes} min",
  "left.hours": "noch {hours} h",
  "left.hours_minutes": "noch {hours} h {minutes} min",

  "pause.schedule": "Laut Zeitplan wird jetzt nichts gesendet.",
  "pause.schedule_until": "Laut Zeitplan wird bis {time} nichts gesendet.",
  "pause.metered": "Dieses Netz ist getaktet: Darüber wird nichts gesendet.",
  "pause.battery": "Im Akkubetrieb wird nichts gesendet.",

  "rebuilt.title": "Die Warteschlange war beschädigt und wurde neu angelegt.",
  "rebuilt.has": { one: "{count} Upload ist darin.", other: "{count} Uploads sind darin." },
  "rebuilt.from_backup": {
    one: "{count} davon ist so, wie die letzte Sicherung ihn hatte.",
    other: "{count} davon sind so, wie die letzte Sicherung sie hatte.",
  },
  "rebuilt.some_lost": "Nicht alles war lesbar: Fehlt unten eine Datei, fügen Sie sie noch einmal hinzu.",
  "rebuilt.kept": "Die beschädigte liegt noch unter {place}.",

  "empty.title": "Videos hier ablegen",
  "empty.body":
    "Dateien und ganze Ordner gehen direkt in den Speicher Ihres Teams und laufen nach Abbruch, Neustart oder zugeklapptem Deckel von selbst weiter.",
  "empty.choose": "Dateien auswählen…",
  "empty.to": "Sie gehen an",
  "empty.change": "Ändern",

  "selection.label": "Ausgewählte Uploads",
  "selection.count": { one: "{count} ausgewählt", other: "{count} ausgewählt" },
  "selection.more": "Mehr für die Auswahl",
  "selection.clear": "Auswahl aufheben",

  "order.carried": { one: "{count} Upload", other: "{count} Uploads" },
  "order.moved": "{title} ist jetzt {place} von {total}.",
  "order.moved_many": {
    one: "{count} Upload verschoben; der erste ist jetzt {place} von {total}.",
    other: "{count} Uploads verschoben; der erste ist jetzt {place} von {total}.",
  },
  "order.top": "Weiter nach oben geht es nicht.",
  "order.end": "Weiter nach unten geht es nicht.",
  "order.only_waiting": "Nur was wartet, lässt sich verschieben.",
  "order.next": "{title} kommt als Nächstes.",
  "order.next_many": {
    one: "{count} Upload kommt als Nächstes.",
    other: "{count} Uploads kommen als Nächstes.",
  },
  "order.not_next": "{title} kommt, wenn die Reihe daran ist.",
  "order.not_next_many": {
    one: "{count} Upload kommt, wenn die Reihe daran ist.",
    other: "{count} Uploads kommen, wenn die Reihe daran ist.",
  },

  "cancel.title": { one: "Diesen Upload abbrechen?", other: "{count} Uploads abbrechen?" },
  "cancel.body":
    "Was schon beim Team angekommen ist, wird verworfen. Die Dateien auf diesem Computer bleiben unberührt.",
  "cancel.body_unsent":
    "Davon ist noch nichts bei Ihrem Team. Die Dateien auf diesem Computer bleiben unberührt.",
  "cancel.yes": { one: "Upload abbrechen", other: "Uploads abbrechen" },
  "cancel.no": { one: "Weiter hochladen", other: "Weiter hochladen" },
} as const satisfies Partial<Words>;
