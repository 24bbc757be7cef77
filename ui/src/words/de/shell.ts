import type { Words } from "../words";

export const shell = {
  "app.name": "Dailies",
  "app.loading": "Die Warteschlange wird geöffnet…",
  "app.broke": "Dailies muss neu starten",
  "app.restart": "Neu starten",
  "app.no_video": "Dieses Video ist nicht in Ihrer Warteschlange",
  "app.problem": "Dailies kann seine Warteschlange nicht öffnen",

  "nav.label": "Ansichten",
  "nav.queue": "Warteschlange",
  "nav.folders": "Ordner",
  "nav.library": "Mediathek",
  "nav.activity": "Verlauf",
  "nav.settings": "Einstellungen",
  "nav.needs": { one: "{count} braucht Sie", other: "{count} brauchen Sie" },

  "destination.label": "Neue Dateien gehen an",
  "destination.none": "Kein Projekt gewählt",
  "destination.none_hint": "Ziel der Dateien wählen",
  "destination.change": "Ziel neuer Dateien ändern",
  "destination.loading": "Das Team wird gefragt…",
  "destination.empty": "Sie dürfen in kein Projekt dieses Teams hochladen.",
  "destination.connected": "Verbunden",
  "destination.refused": "Nicht verbunden",

  "connection.address": "Team-Server",
  "connection.this_computer": "Dieser Computer",
  "connection.teams": "Teams…",
  "connection.others": "Andere Teams",

  "drag.title": {
    one: "Ablegen, um {count} Video hinzuzufügen",
    other: "Ablegen, um {count} Videos hinzuzufügen",
  },
  "drag.none": "Keine Videos dabei",
  "drag.to": "an {destination}",
  "drag.others": {
    one: "{count} Datei ist kein Video und bleibt",
    other: "{count} Dateien sind keine Videos und bleiben",
  },
  "drag.not_connected": "Sie warten hier, bis Sie verbunden sind",

  "server.starting": "Der Server auf diesem Computer startet…",
  "server.running": "Server auf diesem Computer",
  "server.failed": "Der Server auf diesem Computer ist stehen geblieben",
  "server.failed_body":
    "Ihre Dateien sind sicher. Starten Sie ihn neu; bleibt er wieder stehen, starten Sie den Computer neu oder schaffen Sie Platz auf der Platte.",

  "key.memory": "Ihr Schlüssel bleibt bis zum Beenden: Dieser Computer hat keinen Schlüsselbund.",

  "status.uploading": { one: "{count} lädt hoch", other: "{count} laden hoch" },
  "status.waiting": { one: "{count} wartet", other: "{count} warten" },
  "status.needs": { one: "{count} braucht Sie", other: "{count} brauchen Sie" },
  "status.idle": "Nichts zu tun",
  "status.today": { one: "{count} heute fertig", other: "{count} heute fertig" },

  "added.refused": {
    one: "{count} Datei wurde nicht hinzugefügt",
    other: "{count} Dateien wurden nicht hinzugefügt",
  },
  "added.refused_one": "{file}: {why}",
  "added.more": { one: "und {count} weitere", other: "und {count} weitere" },

  "copied.link": "Link kopiert",
  "copied.report": "Bericht kopiert",

  "announce.ready": "{title} ist fertig.",
  "announce.needs": "{title} braucht Sie.",
  "announce.failed": "{title} konnte nicht hochgeladen werden.",
  "announce.many_ready": { one: "{count} Video ist fertig.", other: "{count} Videos sind fertig." },
  "announce.many_needs": { one: "{count} Upload braucht Sie.", other: "{count} Uploads brauchen Sie." },

  "do.pause": "Anhalten",
  "do.resume": "Fortsetzen",
  "do.cancel": "Upload abbrechen",
  "do.retry": "Jetzt wiederholen",
  "do.send_anyway": "Trotzdem senden",
  "do.send_here": "Trotzdem senden",
  "do.remove": "Aus der Liste nehmen",
  "do.details": "Details",
  "do.copy_report": "Bericht kopieren",
  "do.show_in_folder": "Im Ordner zeigen",
  "do.copy_link": "Link kopieren",
  "do.share": "Teilen…",
  "do.download": "Original herunterladen…",
  "do.play": "Abspielen",
  "do.play_local": "Lokale Datei abspielen",
  "do.close": "Schließen",
  "do.dismiss": "Ausblenden",
  "do.try_again": "Erneut versuchen",
  "do.connect_again": "Neu anmelden",
  "do.choose_destination": "Projekt wählen",
  "do.start_server": "Neu starten",
} as const satisfies Partial<Words>;
