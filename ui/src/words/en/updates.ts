export const updates = {
  "update.version": "Dailies {version}",
  "update.off":
    "This build does not look for newer versions: it was made without an address to ask, or without a key to check the answer with.",
  "update.not_yet": "Not asked for a newer version since the start.",
  "update.none": "There is no newer version. Asked: {time}.",
  "update.looking": "Asking for a newer version…",
  "update.packaged":
    "Dailies {version} is out. This one was installed as a package: your system’s package manager brings the newer one.",
  "update.unpacked": "Dailies {version} is out. Get it from where you got this one.",
  "update.downloading": "Downloading Dailies {version}…",
  "update.arriving": "Downloading Dailies {version}: {percent}",
  "update.ready": "Dailies {version} is ready: restart to update",
  "update.restart": "Restart to update",
  "update.look": "Look now",
  "update.by_itself": "Look for newer versions",
  "update.by_itself_hint":
    "Soon after each start and once a day, not over a metered network. Nothing is installed until you say so.",
  "update.out": "Dailies {version} is out",
  "update.refused": "An update was refused",
  "update.stays": "Nothing was changed: this version stays as it is.",
  "update.busy_title": "Restart while videos go up?",
  "update.busy_body":
    "They stop for the restart and then go on where they were. What has arrived is not sent again.",
  "update.busy_yes": "Restart now",
  "update.busy_no": "Later",

  "update_fault.unreachable.what": "Nobody could be asked for a newer version.",
  "update_fault.unreachable.todo": "Check the network, then look again.",
  "update_fault.insecure.what": "An address on the way to the update is not encrypted.",
  "update_fault.insecure.todo": "Tell whoever gave you this version.",
  "update_fault.unintelligible.what":
    "The answer about newer versions makes no sense, or has none for this computer.",
  "update_fault.unintelligible.todo": "Look again later; if it stays so, tell whoever gave you this version.",
  "update_fault.cut_off.what": "The download of the update broke off.",
  "update_fault.cut_off.todo": "Check the network, then look again.",
  "update_fault.not_genuine.what":
    "What was downloaded is not signed as this update has to be, and was thrown away.",
  "update_fault.not_genuine.todo":
    "Look again over another network; if it stays so, tell whoever gave you this version.",
  "update_fault.not_kept.what": "This disk is full or refuses to write: the update could not be kept.",
  "update_fault.not_kept.todo": "Free some space, then look again.",
  "update_fault.not_installed.what": "The system refused to put the update in the place of this version.",
  "update_fault.not_installed.todo": "Check that you may change the app where it is, then look again.",
} as const;
