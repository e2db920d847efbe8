package carousel.cuda.probe;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where a CUDA driver library can be, and what else of a machine hints at a GPU.
 *
 * @param name what the system's loader is asked for: {@code libcuda.so.1}
 * @param folders further folders to look into, for systems whose loader does not
 * @param root the root of the file system, {@code /}; the clues are read below it
 */
record DriverSearch(String name, List<String> folders, Path root) {

  /** The driver library that answers to the name, and how it was found. */
  record Found(String where, SymbolLookup symbols) {}

  /** The search that fits an operating system, named as in the property {@code os.name}. */
  static DriverSearch on(String osName) {
    return osName.toLowerCase(Locale.ROOT).contains("windows")
        ? new DriverSearch("nvcuda.dll", List.of("C:\\Windows\\System32"), Path.of("C:\\"))
        : new DriverSearch(
            "libcuda.so.1", // not libcuda.so: that one is the toolkit's stub, made for linking
            List.of(
                "/usr/lib/x86_64-linux-gnu",
                "/usr/lib/aarch64-linux-gnu",
                "/usr/lib64",
                "/usr/lib/wsl/lib", // Windows Subsystem for Linux
                "/usr/local/nvidia/lib64", // container runtimes
                "/run/opengl-driver/lib"), // NixOS
            Path.of("/"));
  }

  /** Asks the system's loader, then looks into the folders; empty when there is no driver. */
  Optional<Found> find() {
    var byName = open(name);
    if (byName.isPresent()) {
      return byName;
    }
    for (var folder : folders) {
      var path = Path.of(folder, name);
      if (Files.exists(path)) {
        var byPath = open(path.toString());
        if (byPath.isPresent()) {
          return byPath;
        }
      }
    }
    return Optional.empty();
  }

  /** The places {@link #find} looks at, in its order. */
  List<String> places() {
    var places = new ArrayList<String>();
    places.add(name + " on the library path");
    places.addAll(folders);
    return places;
  }

  // A driver that has been initialised must stay loaded: it keeps state of its own, so the arena is
  // the global one.
  private static Optional<Found> open(String library) {
    try {
      return Optional.of(new Found(library, SymbolLookup.libraryLookup(library, Arena.global())));
    } catch (IllegalArgumentException notThereOrNotLoadable) {
      return Optional.empty();
    }
  }

  /** The report of a machine where {@link #find} came back empty. */
  CudaReport.NoDriver nothing() {
    var clues = new ArrayList<String>();
    var advice = new ArrayList<String>();
    folders.stream()
        .map(folder -> Path.of(folder, name))
        .filter(Files::exists)
        .forEach(path -> clues.add(path + " is there, and cannot be loaded by this JVM"));
    if (Files.exists(root.resolve("proc/driver/nvidia/version"))) {
      clues.add("NVIDIA's kernel module is loaded, its library is not visible here");
      advice.add(
          "In a container: start it with --gpus all (NVIDIA Container Toolkit). Elsewhere: add the"
              + " folder of "
              + name
              + " to the library path.");
    } else if (nvidiaOnTheBus()) {
      clues.add("an NVIDIA device is on the PCI bus, no driver is loaded for it");
      advice.add("Install NVIDIA's driver, 525.60.13 or later, and reboot.");
    } else {
      advice.add("Nothing to do unless this machine has an NVIDIA GPU; then install its driver.");
    }
    return new CudaReport.NoDriver(places(), clues, advice);
  }

  private boolean nvidiaOnTheBus() {
    var bus = root.resolve("sys/bus/pci/devices");
    if (!Files.isDirectory(bus)) {
      return false;
    }
    try (var devices = Files.list(bus)) {
      return devices.anyMatch(DriverSearch::isNvidiaDisplay);
    } catch (IOException unreadable) {
      return false;
    }
  }

  // Vendor 0x10de is NVIDIA; class 0x03.... is a display or 3D controller (PCI code and ID
  // assignment).
  private static boolean isNvidiaDisplay(Path device) {
    try {
      return Files.readString(device.resolve("vendor")).strip().equals("0x10de")
          && Files.readString(device.resolve("class")).strip().startsWith("0x03");
    } catch (IOException unreadable) {
      return false;
    }
  }
}
