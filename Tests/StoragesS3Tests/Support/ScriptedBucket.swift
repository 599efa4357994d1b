import Foundation
import Storages

@testable import StoragesHTTP
@testable import StoragesS3

/// Storages of a bucket whose server is a script, and the answers of such servers.
enum ScriptedBucket {
    static let accessKeyID = "AKIDSCRIPTED"
    static let secretAccessKey = "wJalrScriptedSecretAccessKey"
    static let sessionToken = "FwoScriptedSessionToken"

    static func setup(
        endpoint: String?,
        useSSL: Bool = false,
        region: String? = "us-east-1",
        _ configure: (inout S3Options) -> Void = { _ in }
    ) -> S3Setup {
        var options = S3Options()
        options.retries = S3Retries(baseDelay: .milliseconds(2), throttledBaseDelay: .milliseconds(2))
        configure(&options)
        var setup = S3Setup(
            bucketName: "bucket",
            endpointURL: endpoint,
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            region: region,
            useSSL: useSSL,
            defaultACL: nil,
            customDomain: nil,
            querystringAuth: false,
            options: options
        )
        setup.environment = EnvironmentVariables([:])
        return setup
    }

    /// A storage behind a proxy that answers everything.
    static func storage(
        _ proxy: FaultProxy,
        _ configure: (inout S3Options) -> Void = { _ in }
    ) throws -> S3Storage {
        try S3Storage(setup(endpoint: proxy.endpoint, configure))
    }

    /// A storage of Amazon's S3, which nobody reaches: a closure answers.
    static func amazon(
        _ transport: any HTTPTransport,
        region: String = "us-east-1",
        _ configure: (inout S3Options) -> Void = { _ in }
    ) throws -> S3Storage {
        try S3Storage(setup(endpoint: nil, useSSL: true, region: region, configure), transport: transport)
    }

    // MARK: Answers

    static func error(_ code: String, _ more: String = "") -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>Scripted.</Message>\(more)</Error>"
    }

    static func answer(
        _ status: Int,
        _ body: String = "",
        _ headers: [(name: String, value: String)] = []
    ) -> FaultProxy.Action {
        .answer(FaultProxy.Answer(status, headers: headers, body: body))
    }

    static func failure(_ status: Int, _ code: String, _ more: String = "") -> FaultProxy.Action {
        answer(status, error(code, more))
    }
}
