// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "stored-files-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Without the macro: the models here are written by hand, and swift-syntax in release takes minutes to build.
        .package(name: "stored-files", path: "..", traits: [])
    ],
    targets: [
        .systemLibrary(name: "CSyncFS"),
        .executableTarget(
            name: "bench",
            dependencies: [
                "CSyncFS", .product(name: "StoredFiles", package: "stored-files"),
                .product(name: "StoragesS3", package: "stored-files"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InferIsolatedConformances"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
