package carousel.cuda.driver;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.JCudaDriver.cuFuncSetAttribute;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/** The compiled files that a device has loaded, and the kernels of theirs that were asked for, by number. */
final class Modules {
  private static final int SHARED_WITHOUT_ASKING = 48 << 10;

  private final JCudaDriver driver;
  private final List<CUmodule> modules = new ArrayList<>();
  private final List<Function> functions = new ArrayList<>();

  Modules(JCudaDriver driver) {
    this.driver = driver;
  }

  /** A kernel, and how much dynamic shared memory it was allowed so far. */
  final class Function {
    final CUfunction handle = new CUfunction();
    final String symbol;
    private int shared = SHARED_WITHOUT_ASKING;

    private Function(String symbol) {
      this.symbol = symbol;
    }

    /** More than 48 KB of dynamic shared memory must be asked for once. */
    synchronized void allow(int bytes) {
      if (bytes > shared) {
        driver.check(
            String.format(Locale.ROOT, "cuFuncSetAttribute for %s, %,d bytes", symbol, bytes),
            cuFuncSetAttribute(handle, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes));
        shared = bytes;
      }
    }
  }

  long load(String name, byte[] code) {
    var module = new CUmodule();
    driver.check("cuModuleLoadData for " + name, cuModuleLoadData(module, code));
    synchronized (modules) {
      modules.add(module);
      return modules.size() - 1L;
    }
  }

  long function(long module, String symbol) {
    var function = new Function(symbol);
    CUmodule in;
    synchronized (modules) {
      in = modules.get((int) module);
    }
    driver.check(
        "cuModuleGetFunction for " + symbol, cuModuleGetFunction(function.handle, in, symbol));
    synchronized (functions) {
      functions.add(function);
      return functions.size() - 1L;
    }
  }

  Function get(long function) {
    synchronized (functions) {
      return functions.get((int) function);
    }
  }
}
