package carousel.cuda.driver;

import jcuda.driver.CUdeviceptr;

/** A JCuda device pointer to and from a number. */
final class DeviceAddress extends CUdeviceptr {
  private static final CUdeviceptr NULL = new CUdeviceptr();

  /** To be filled by an allocation. */
  DeviceAddress() {}

  DeviceAddress(long address) {
    super(NULL, address);
  }

  /** What an allocation filled in. */
  long allocated() {
    return getNativePointer();
  }
}
