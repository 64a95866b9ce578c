package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.hapi.converters.canonical.VersionCanonicalizer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.hl7.fhir.common.hapi.validation.validator.WorkerContextValidationSupportAdapter;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r5.utils.xver.XVerExtensionManager.XVerExtensionStatus;
import org.hl7.fhir.r5.utils.xver.XVerExtensionManagerOld;

/**
 * Definitions of the extensions that carry another FHIR version's elements, where a profile slices by them.
 *
 * <p>The instance validator makes such a definition itself for an extension that it meets; a slice of a profile asks for
 * it by URL, and gets the same one from here.
 */
final class CrossVersion implements IValidationSupport {

  private static final Pattern URL =
      Pattern.compile("http://hl7\\.org/fhir/\\d\\.\\d/StructureDefinition/extension-[A-Za-z.\\[\\]]+");

  private final FhirContext context;
  private final VersionCanonicalizer canonicalizer;
  private final Map<String, Optional<IBaseResource>> made = new ConcurrentHashMap<>();
  private XVerExtensionManagerOld manager;

  CrossVersion(FhirContext context) {
    this.context = context;
    this.canonicalizer = new VersionCanonicalizer(context);
  }

  /** Gives the tables and the types from which definitions are made: the whole chain that this is part of. */
  void uses(IValidationSupport chain) {
    manager = new XVerExtensionManagerOld(WorkerContextValidationSupportAdapter.newVersionSpecificWorkerContextWrapper(chain));
  }

  @Override
  public FhirContext getFhirContext() {
    return context;
  }

  @Override
  public String getName() {
    return "extensions for elements of other versions";
  }

  @Override
  public IBaseResource fetchStructureDefinition(String url) {
    return URL.matcher(url).matches() ? made.computeIfAbsent(url, this::make).orElse(null) : null;
  }

  private synchronized Optional<IBaseResource> make(String url) {
    return manager.status(url) == XVerExtensionStatus.Valid
        ? Optional.of(canonicalizer.structureDefinitionFromCanonical(manager.getDefinition(url)))
        : Optional.empty();
  }
}
