import type { Words } from "../words";

export const updates = {
  "update.version": "Dailies {version}",
  "update.off":
    "Dieser Build sucht nicht nach neueren Versionen: Er wurde ohne Adresse dafür gemacht, oder ohne Schlüssel, mit dem die Antwort geprüft wird.",
  "update.not_yet": "Seit dem Start wurde nicht nach einer neueren Version gefragt.",
  "update.none": "Es gibt keine neuere Version. Gefragt: {time}.",
  "update.looking": "Fragt nach einer neueren Version…",
  "update.packaged":
    "Dailies {version} ist da. Dieses hier wurde als Paket installiert: Die Paketverwaltung Ihres Systems bringt das neuere.",
  "update.unpacked": "Dailies {version} ist da. Sie bekommen es dort, woher Sie dieses haben.",
  "update.downloading": "Dailies {version} wird geladen…",
  "update.arriving": "Dailies {version} wird geladen: {percent}",
  "update.ready": "Dailies {version} ist bereit: zum Aktualisieren neu starten",
  "update.restart": "Neu starten und aktualisieren",
  "update.look": "Jetzt nachsehen",
  "update.by_itself": "Nach neueren Versionen sehen",
  "update.by_itself_hint":
    "Bald nach jedem Start und einmal am Tag, nicht in getakteten Netzen. Installiert wird erst, wenn Sie es sagen.",
  "update.out": "Dailies {version} ist da",
  "update.refused": "Eine Aktualisierung wurde abgelehnt",
  "update.stays": "Nichts wurde geändert: Diese Version bleibt, wie sie ist.",
  "update.busy_title": "Neu starten, während Videos hochgeladen werden?",
  "update.busy_body":
    "Sie halten für den Neustart an und laufen dann weiter, wo sie waren. Was angekommen ist, wird nicht noch einmal gesendet.",
  "update.busy_yes": "Jetzt neu starten",
  "update.busy_no": "Später",

  "update_fault.unreachable.what": "Nach einer neueren Version konnte niemand gefragt werden.",
  "update_fault.unreachable.todo": "Prüfen Sie das Netz und sehen Sie dann noch einmal nach.",
  "update_fault.insecure.what": "Eine Adresse auf dem Weg zur Aktualisierung ist nicht verschlüsselt.",
  "update_fault.insecure.todo": "Sagen Sie es denen, von denen Sie diese Version haben.",
  "update_fault.unintelligible.what":
    "Die Antwort über neuere Versionen ergibt keinen Sinn oder hat keine für diesen Computer.",
  "update_fault.unintelligible.todo":
    "Sehen Sie später noch einmal nach; bleibt es so, sagen Sie es denen, von denen Sie diese Version haben.",
  "update_fault.cut_off.what": "Das Laden der Aktualisierung brach ab.",
  "update_fault.cut_off.todo": "Prüfen Sie das Netz und sehen Sie dann noch einmal nach.",
  "update_fault.not_genuine.what":
    "Was geladen wurde, ist nicht so signiert, wie diese Aktualisierung es sein muss, und wurde weggeworfen.",
  "update_fault.not_genuine.todo":
    "Sehen Sie über ein anderes Netz noch einmal nach; bleibt es so, sagen Sie es denen, von denen Sie diese Version haben.",
  "update_fault.not_kept.what":
    "Diese Festplatte ist voll oder nimmt nichts an: Die Aktualisierung konnte nicht behalten werden.",
  "update_fault.not_kept.todo": "Schaffen Sie Platz und sehen Sie dann noch einmal nach.",
  "update_fault.not_installed.what":
    "Das System lehnte es ab, die Aktualisierung an die Stelle dieser Version zu setzen.",
  "update_fault.not_installed.todo":
    "Prüfen Sie, ob Sie die App an ihrem Ort ändern dürfen, und sehen Sie dann noch einmal nach.",
} as const satisfies Partial<Words>;
