package carousel.cuda.probe;

import carousel.cuda.driver.CubinCache;
import carousel.cuda.driver.LibrarySearch;
import carousel.tensor.spi.Probe;
import carousel.tensor.spi.ProbeResult;

/**
 * Finds out what of CUDA this machine has: whether the driver library is there, the version it
 * supports, and its devices. Where there is no driver nothing is loaded, and the report says where it
 * looked and what to do.
 */
public final class CudaProbe implements Probe {

  private final DriverSearch search;
  private final LibrarySearch libraries;

  /** A probe of this machine. */
  public CudaProbe() {
    this(DriverSearch.on(System.getProperty("os.name", "")), LibrarySearch.ofThisMachine());
  }

  CudaProbe(DriverSearch search, LibrarySearch libraries) {
    this.search = search;
    this.libraries = libraries;
  }

  /** Looks for the driver and asks it for its version and devices. */
  public CudaReport report() {
    var found = search.find().orElse(null);
    if (found == null) {
      return search.nothing();
    }
    var driver = new DriverQuery(found.symbols());
    try {
      int version = driver.version();
      var devices = driver.devices();
      return devices.isEmpty()
          ? new CudaReport.DriverFails(found.where(), "cuDeviceGetCount", 100, "no devices")
          : new CudaReport.Ready(found.where(), version, devices);
    } catch (DriverQuery.CallFailed failed) {
      return failed.report(found.where());
    }
  }

  /** What a device needs besides the driver, as this machine has it. */
  public GpuSetup setup() {
    return new GpuSetup(report(), libraries, CubinCache.configured(), GpuSetup.hasBindings());
  }

  /** Found is what {@code Device.cuda(0)} opens; the advice is what it would say. */
  @Override
  public ProbeResult look() {
    var setup = setup();
    var problems = setup.problems();
    boolean ready = setup.report() instanceof CudaReport.Ready && problems.isEmpty();
    return new ProbeResult("CUDA", ready, setup.facts(), problems);
  }
}
