package sandbox

// Ids of the first district's planted records. They are the same for every
// seed and size; school A and the ones after it are SchoolID(0), SchoolID(1)…
const (
	SeedDistrictID  = "6385008f69df036e83e984a3"
	OtherDistrictID = "63ff10aa4d1c7e5a90bb2f01" // the second district, where there is one

	// SeedUserID is Danny D Brakus: teacher at SeedTeacherSchool (sis_id 42),
	// staff at SeedStaffSchool (staff_id 74002, PortalOnly).
	SeedUserID        = "67290af290b55408fa4b09e7"
	SeedTeacherSchool = "63850203bfb8460546071e60"
	SeedStaffSchool   = "63850203bfb8460546071e5e"
	SeedTeacherLegacy = "67290af290b55408fa4b09e3"
	SeedStaffLegacy   = "67feda77ecb57b200c573ce6"

	ThreeSchoolsUserID    = "67290b0190b5540a114b0a01" // teacher at A, staff at B and C
	AllRolesUserID        = "67290b0290b5540a114b0a02" // teacher, staff, district admin
	TeacherUserID         = "67290b0390b5540a114b0a03"
	StaffUserID           = "67290b0490b5540a114b0a04"
	TechLeadUserID        = "67290b0590b5540a114b0a05"
	DistrictAdminUserID   = "67290b0690b5540a114b0a06" // nothing but district admin
	StudentUserID         = "67290b0790b5540a114b0a07"
	ContactUserID         = "67290b0890b5540a114b0a08" // of StudentUserID
	NoRolesUserID         = "67290b0990b5540a114b0a09" // no role is shared
	SharedEmailContactID  = "67290b0a90b5540a114b0a0a" // has TeacherUserID's email
	NullEmailUserID       = "67290b0b90b5540a114b0a0b"
	NonASCIIUserID        = "67290b0c90b5540a114b0a0c"
	LongNameUserID        = "67290b0d90b5540a114b0a0d" // 500 characters in each part
	RightToLeftUserID     = "67290b0e90b5540a114b0a0e"
	ScriptUserID          = "67290b0f90b5540a114b0a0f" // a <script> in the name
	UnknownRoleUserID     = "67290b1090b5540a114b0a10" // a role key Clever does not have yet
	UnknownLabelUserID    = "67290b1190b5540a114b0a11" // a staff label Clever does not have yet
	ManySchoolsUserID     = "67290b1290b5540a114b0a12" // staff at every school
	UnsharedSchoolUserID  = "67290b1390b5540a114b0a13" // teaches at UnsharedSchoolID
	NoEnrollmentsUserID   = "67290b1490b5540a114b0a14"
	SensitiveUserID       = "67290b1590b5540a114b0a15" // a student with every field that must not be kept
	AdminTeacherUserID    = "67290b1690b5540a114b0a16" // district admin who teaches
	AbsentFieldsUserID    = "67290b1790b5540a114b0a17" // optional fields null, "" and absent
	FirstTwinUserID       = "67290b1890b5540a114b0a18" // one human under two spellings of the email
	SecondTwinUserID      = "67290b1990b5540a114b0a19"
	SameEmailOtherUserID  = "67290b2090b5540b224b0a20" // in the second district, with Danny's email and sis_id
	UnsharedSchoolID      = "63850203bfb84605460fffff" // named by people, not in /schools
	CoTaughtSectionID     = "67290c0190b5540a114b0c01" // TeacherUserID with SeedUserID
	OutsideSectionID      = "67290c0290b5540a114b0c02" // ThreeSchoolsUserID, away from the primary school
	NullTermSectionID     = "67290c0390b5540a114b0c03"
	NoTeacherSectionID    = "67290c0490b5540a114b0c04"
	SeedUserSectionID     = "67290c0590b5540a114b0c05"
	AllRolesSectionID     = "67290c0690b5540a114b0c06"
	AdminTeacherSectionID = "67290c0790b5540a114b0c07"
)

// Values of planted records that callers look for.
const (
	UnknownRole  = "librarian"         // role key of UnknownRoleUserID
	UnknownLabel = "AttendanceManager" // staff label of UnknownLabelUserID
)

// SchoolID is the id of the first district's school k, from 0, in the order of
// /schools.
func (s *Sandbox) SchoolID(k int) string { return s.districts[0].schools.ids.id(k) }

// UserIDAt is the id of generated user i of the first district, from 0.
func (s *Sandbox) UserIDAt(i int) string { return s.districts[0].users.ids.id(i) }
