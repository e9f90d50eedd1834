package sandbox

// The district id is the same in every sandbox.
const (
	SeedDistrictID    = "6385008f69df036e83e984a3"
	SeedUserID        = "67290af290b55408fa4b09e7" // Danny D Brakus, teacher at one school, staff at another
	SeedTeacherSchool = "63850203bfb8460546071e60"
	SeedStaffSchool   = "63850203bfb8460546071e5e"
)
