package carousel.zoo.cli;

import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.spi.Probe;
import carousel.tensor.spi.ProbeResult;
import carousel.tensor.spi.Setting;
import carousel.zoo.run.Numbers;
import carousel.zoo.run.Reporter;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Says what of the machine Carousel uses. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    header = "Says what Carousel finds on this machine, and what to do for what it does not find.")
final class DoctorCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    var findings = new ArrayList<>(List.of(java(), settings(), nativeAccess()));
    if (Setting.complaints().isEmpty()) {
      findings.addAll(List.of(vectors(), processors(), memory()));
      for (var probe : ServiceLoader.load(Probe.class)) {
        findings.add(look(probe));
      }
      findings.add(devices());
    }
    for (var finding : findings) {
      print(out, finding);
    }
    return 0;
  }

  /** What a probe finds; one that fails says so instead of ending the report. */
  private static ProbeResult look(Probe probe) {
    try {
      return probe.look();
    } catch (RuntimeException e) {
      return new ProbeResult(
          probe.getClass().getSimpleName(),
          false,
          List.of("failed: " + e.getMessage()),
          List.of("let it call native code: --enable-native-access=carousel.tensor,carousel.cuda"));
    }
  }

  private static void print(PrintWriter out, ProbeResult finding) {
    out.println((finding.found() ? "✓ " : "✗ ") + finding.subject());
    for (var fact : finding.facts()) {
      out.println(Reporter.visible("    " + fact));
    }
    for (var advice : finding.advice()) {
      out.println(Reporter.visible("    → " + advice));
    }
  }

  private static ProbeResult java() {
    var version = Runtime.version();
    boolean fits = version.feature() == 25 && (version.interim() > 0 || version.update() >= 3);
    return new ProbeResult(
        "Java",
        fits,
        List.of(
            version + ", " + System.getProperty("java.vm.name"),
            System.getProperty("java.home", "")),
        fits ? List.of() : List.of("take a JDK 25, at least 25.0.3; the launcher looks for one"));
  }

  /** What Java was started with; where it makes no sense, nothing that computes can be looked at. */
  private static ProbeResult settings() {
    var complaints = Setting.complaints();
    var given =
        System.getProperties().stringPropertyNames().stream()
            .filter(
                name -> Arrays.stream(Setting.values()).anyMatch(s -> s.property().equals(name)))
            .sorted()
            .map(name -> "-D" + name + "=" + System.getProperty(name))
            .toList();
    if (complaints.isEmpty()) {
      return new ProbeResult(
          "settings", true, given.isEmpty() ? List.of("none given") : given, List.of());
    }
    return new ProbeResult(
        "settings",
        false,
        complaints,
        List.of("mend CAROUSEL_OPTS, or the flags of Java; then there is more to be seen here"));
  }

  /** The Vector API is asked for by name: only the CPU backend may be compiled against it. */
  private static ProbeResult vectors() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return new ProbeResult(
          "Vector API",
          false,
          List.of("the module jdk.incubator.vector is not there: loops run on scalars"),
          List.of("add --add-modules jdk.incubator.vector to the JVM's flags"));
    }
    var facts = new ArrayList<String>();
    facts.add("jdk.incubator.vector is there");
    try {
      var species =
          Class.forName("jdk.incubator.vector.FloatVector").getField("SPECIES_PREFERRED").get(null);
      facts.add("preferred species " + species);
    } catch (ReflectiveOperationException e) {
      facts.add("its preferred species cannot be seen: " + e);
    }
    String setting = Setting.VECTOR.or("auto");
    facts.add("-Dcarousel.vector=" + setting);
    boolean off = setting.equals("off");
    return new ProbeResult(
        "Vector API",
        !off,
        facts,
        off ? List.of("leave out -Dcarousel.vector=off to use it") : List.of());
  }

  private static ProbeResult nativeAccess() {
    boolean allowed = Tensor.class.getModule().isNativeAccessEnabled();
    return new ProbeResult(
        "native access",
        allowed,
        List.of(allowed ? "carousel.tensor may allocate off-heap memory" : "not enabled"),
        allowed
            ? List.of()
            : List.of(
                "add --enable-native-access=carousel.tensor (ALL-UNNAMED on the class path)"));
  }

  private static ProbeResult processors() {
    var facts = new ArrayList<String>();
    facts.add(
        String.format(
            Locale.ROOT,
            "%s, %d processors, %d threads in use",
            System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors(),
            Threads.count()));
    facts.addAll(model());
    return new ProbeResult("processor", true, facts, List.of());
  }

  private static List<String> model() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .stream()
          .toList();
    } catch (java.io.IOException | java.io.UncheckedIOException e) {
      return List.of(); // another system than Linux
    }
  }

  private static ProbeResult memory() {
    var facts = new ArrayList<String>();
    if (ManagementFactory.getOperatingSystemMXBean()
        instanceof com.sun.management.OperatingSystemMXBean system) {
      facts.add(
          String.format(
              Locale.ROOT,
              "%s in this machine or container, %s free",
              Numbers.bytes(system.getTotalMemorySize()),
              Numbers.bytes(system.getFreeMemorySize())));
    }
    facts.add("heap up to " + Numbers.bytes(Runtime.getRuntime().maxMemory()));
    facts.add(
        String.format(
            Locale.ROOT,
            "tensors up to %s (-Dcarousel.memory=)",
            Numbers.bytes(Device.cpu().backend().memory().limit())));
    return new ProbeResult("memory", true, facts, List.of());
  }

  /** Multiplies two matrices on every device, so that what is listed is known to answer. */
  private static ProbeResult devices() {
    var facts = new ArrayList<String>();
    boolean works = true;
    for (var device : Device.all()) {
      try (var scope = TensorScope.open(device)) {
        double product = Tensor.ones(2, 3).matmul(Tensor.ones(3, 2)).sum().item();
        works &= product == 12;
        facts.add(device.name() + (product == 12 ? " computes" : " computes wrongly"));
      } catch (RuntimeException e) {
        works = false;
        facts.add(String.format(Locale.ROOT, "%s fails: %s", device.name(), e.getMessage()));
      }
    }
    facts.add("in use by default: " + Device.cpu().name());
    return new ProbeResult(
        "devices",
        works,
        facts,
        works ? List.of() : List.of("run ./mvnw verify, and report what fails"));
  }
}
