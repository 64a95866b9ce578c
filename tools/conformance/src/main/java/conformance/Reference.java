package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import com.google.gson.JsonParseException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.common.hapi.validation.validator.WorkerContextValidationSupportAdapter;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/** HL7's instance validator over HAPI's R4 definitions and the loaded content, with no terminology server. */
final class Reference {

  /** One finding, in HL7's own words. */
  record Message(String severity, String location, Integer line, Integer col, String messageId, String message) {}

  private final FhirValidator validator;
  private final ValidationSupportChain support;

  Reference(FhirContext context, Content content, boolean anyExtension, boolean exampleUrls) {
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IssueSeverity.WARNING);
    CrossVersion crossVersion = new CrossVersion(context);
    support =
        new ValidationSupportChain(
            content,
            new DefaultProfileValidationSupport(context),
            crossVersion,
            new Undefined(context, content.ownProfiles()),
            new UnheldCodes(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            new SnapshotGeneratingValidationSupport(context),
            unknown);
    crossVersion.uses(support);
    Policy policy = new Policy(content, support);
    FhirInstanceValidator instance = new FhirInstanceValidator(support);
    instance.setWrappedWorkerContext(support, new NamedByRelease(support));
    instance.setAnyExtensionsAllowed(anyExtension);
    instance.setAllowExamples(exampleUrls);
    instance.setErrorForUnknownProfiles(true);
    instance.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
    instance.setAssumeValidRestReferences(false);
    instance.setValidatorPolicyAdvisor(policy);
    instance.setValidatorResourceFetcher(policy);
    validator = context.newValidator();
    validator.setValidateAgainstStandardSchema(false);
    validator.setValidateAgainstStandardSchematron(false);
    validator.registerValidatorModule(instance);
  }

  /** Findings on one document, JSON or XML, in document order as the validator gives them; never throws. */
  List<Message> validate(String text, List<String> profiles) {
    List<Message> found = new ArrayList<>();
    ValidationOptions options = new ValidationOptions();
    try {
      for (String profile : profiles) {
        if (support.fetchStructureDefinition(profile) == null) {
          found.add(new Message("error", null, null, null, "PROFILE_NOT_LOADED", "profile not loaded: " + profile));
        } else {
          options.addProfile(profile);
        }
      }
      for (SingleValidationMessage each : validator.validateWithResult(text, options).getMessages()) {
        found.add(
            new Message(
                each.getSeverity() == null ? "error" : each.getSeverity().getCode(),
                each.getLocationString(),
                each.getLocationLine(),
                each.getLocationCol(),
                each.getMessageId(),
                withSlices(each)));
      }
    } catch (JsonParseException e) {
      found.add(new Message("fatal", null, null, null, "NOT_JSON", e.getMessage()));
    } catch (Exception | StackOverflowError e) {
      found.add(new Message("fatal", null, null, null, "VALIDATOR_FAILED", causes(e)));
    }
    return List.copyOf(new LinkedHashSet<>(found)); // a profile that is claimed and asked for is run twice
  }

  /**
   * R4 called "4.0", as HL7's list of published versions calls it. Under the name "4.0.1" the validator takes the contexts
   * of an R4 extension to be about another version, and looks for that version's package on the network.
   */
  private static final class NamedByRelease extends WorkerContextValidationSupportAdapter {
    NamedByRelease(ValidationSupportChain support) {
      super(support);
    }

    @Override
    public String getVersion() {
      return "4.0";
    }
  }

  private static String causes(Throwable e) {
    StringBuilder text = new StringBuilder(e.toString());
    for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
      text.append("; because ").append(cause);
    }
    return text.toString();
  }

  private static String withSlices(SingleValidationMessage message) {
    List<String> slices = message.getSliceMessages();
    return slices == null || slices.isEmpty() ? message.getMessage() : message.getMessage() + " " + slices;
  }
}
