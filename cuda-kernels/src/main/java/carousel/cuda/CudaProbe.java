package carousel.cuda;

import carousel.tensor.spi.Finding;
import carousel.tensor.spi.Probe;

/**
 * Finds out what of CUDA this machine has: whether the driver library is there, the version it
 * supports, and its devices. Where there is no driver nothing is loaded, and the report says where it
 * looked and what to do.
 */
public final class CudaProbe implements Probe {

  private final DriverSearch search;

  /** A probe of this machine. */
  public CudaProbe() {
    this(DriverSearch.on(System.getProperty("os.name", "")));
  }

  CudaProbe(DriverSearch search) {
    this.search = search;
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

  @Override
  public Finding look() {
    var report = report();
    return new Finding("CUDA", report instanceof CudaReport.Ready, report.facts(), report.advice());
  }
}
