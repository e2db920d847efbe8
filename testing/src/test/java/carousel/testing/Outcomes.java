package carousel.testing;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.LauncherConstants;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs a class of tests, and tells what came of each by its name: its status, what it threw, its entries. */
final class Outcomes implements TestExecutionListener {
  private final Map<String, String> all = new LinkedHashMap<>();

  private Outcomes() {}

  static Map<String, String> of(Class<?> tests) {
    var outcomes = new Outcomes();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(tests))
                .configurationParameter("junit.jupiter.conditions.deactivate", "*")
                .configurationParameter(LauncherConstants.CAPTURE_STDOUT_PROPERTY_NAME, "false")
                .build(),
            outcomes);
    return outcomes.all;
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (test.isTest()) {
      String thrown = result.getThrowable().map(t -> ": " + t.getMessage()).orElse("");
      all.merge(test.getDisplayName(), result.getStatus() + thrown, (entry, is) -> is + entry);
    }
  }

  @Override
  public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
    all.put(test.getDisplayName(), " with " + entry.getKeyValuePairs());
  }
}
