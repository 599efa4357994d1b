// The code of the README's section about S3. ReadmeTests compares the two and runs this.
// README: begin
import StoragesS3

func media(on endpoint: String, _ accessKeyID: String, _ secretAccessKey: String) async throws -> S3Storage {
    var options = S3Options()
    options.objectParameters.cacheControl = "public, max-age=31536000, immutable"
    let media = try S3Storage(
        bucketName: "media",
        endpointURL: endpoint,  // Such as "localhost:9000"; leave it out for Amazon S3.
        accessKeyID: accessKeyID,  // Leave both out for the environment, a profile, a role.
        secretAccessKey: secretAccessKey,
        useSSL: false,
        querystringAuth: true,  // URLs are signed and expire.
        options: options
    )
    // Support for conditional writes is known of the major services. For other servers, test it at start-up.
    try await media.probeConditionalWrites()
    return media
}
// README: end
