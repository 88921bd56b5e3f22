// The verbs of slipway. One verb, one file, named after it; each file also defines the two-word form
// ("container ps", "image ls") where docker has one. To add a verb: write its file, declare it here, and list
// it in main.cc.
#pragma once

#include "src/cli/program.h"

namespace slipway::cli {

/// The same verb under another name.
constexpr Verb as(const char* name, const Verb& verb) {
  Verb copy = verb;
  copy.name = name;
  return copy;
}

extern const Verb kEvents, kSystemEvents;
extern const Verb kInfo, kSystemInfo;
extern const Verb kSystemBoot;
extern const Verb kVersion;

// Containers.
extern const Verb kAttach, kContainerAttach;
extern const Verb kContainerPrune;
extern const Verb kCp, kContainerCp;
extern const Verb kCreate, kContainerCreate;
extern const Verb kDiff, kContainerDiff;
extern const Verb kExec, kContainerExec;
extern const Verb kInspect, kContainerInspect;
extern const Verb kKill, kContainerKill;
extern const Verb kLogs, kContainerLogs;
extern const Verb kPause, kContainerPause;
extern const Verb kPort, kContainerPort;
extern const Verb kPs, kContainerLs, kContainerList, kContainerPs;
extern const Verb kRename, kContainerRename;
extern const Verb kRestart, kContainerRestart;
extern const Verb kRm, kContainerRm;
extern const Verb kRun, kContainerRun;
extern const Verb kStart, kContainerStart;
extern const Verb kStats, kContainerStats;
extern const Verb kStop, kContainerStop;
extern const Verb kTop, kContainerTop;
extern const Verb kUnpause, kContainerUnpause;
extern const Verb kUpdate, kContainerUpdate;
extern const Verb kWait, kContainerWait;

// Volumes.
extern const Verb kVolumeCreate, kVolumeInspect, kVolumeLs, kVolumeList, kVolumePrune, kVolumeRm,
    kVolumeRemove;

// Networks.
extern const Verb kNetworkConnect, kNetworkCreate, kNetworkDisconnect, kNetworkInspect, kNetworkLs,
    kNetworkList, kNetworkPrune, kNetworkRm, kNetworkRemove;

// Images.
extern const Verb kImport, kImageImport;
extern const Verb kBuild, kImageBuild;
extern const Verb kCommit, kContainerCommit;
extern const Verb kExport, kContainerExport;
extern const Verb kHistory, kImageHistory;
extern const Verb kImages, kImageLs, kImageList;
extern const Verb kImageInspect, kImagePrune;
extern const Verb kLoad, kImageLoad;
extern const Verb kPull, kImagePull;
extern const Verb kPush, kImagePush;
extern const Verb kLogin, kLogout;
extern const Verb kSearch;
extern const Verb kRmi, kImageRm, kImageRemove;
extern const Verb kSave, kImageSave;
extern const Verb kTag, kImageTag;
extern const Verb kSystemCheck, kSystemDf, kSystemMigrate, kSystemPrune;

}  // namespace slipway::cli
